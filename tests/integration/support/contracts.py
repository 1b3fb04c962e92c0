"""The contracts as Python classes, made from the build's descriptor set."""

import functools
import os
import pathlib

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Contracts:
    """All messages, enum values and services of a set of .proto files."""

    def __init__(self, files):
        self.files = list(files)
        self.pool = descriptor_pool.DescriptorPool()
        for file in self.files:
            self.pool.Add(file)
        self._factory = message_factory.MessageFactory(self.pool)

    @classmethod
    def of_build(cls):
        path = pathlib.Path(os.environ["DALER_BUILD_DIR"]) / "proto" / "descriptors.pb"
        return cls(descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes()).file)

    @functools.lru_cache(maxsize=None)
    def message(self, full_name):
        return self._factory.GetPrototype(self.pool.FindMessageTypeByName(full_name))

    def service(self, full_name):
        return self.pool.FindServiceByName(full_name)

    def service_names(self):
        return [f"{file.package}.{service.name}" for file in self.files for service in file.service]

    def package(self, name):
        return Package(self, name)


class Package:
    """A package's messages and enum values as attributes: accounts.PostRequest, accounts.NORMAL_SIDE_DEBIT."""

    def __init__(self, contracts, name):
        self._contracts = contracts
        self._name = name
        self._values = {
            value.name: value.number
            for file in contracts.files if file.package == name
            for enum in file.enum_type
            for value in enum.value
        }

    def __getattr__(self, name):
        if name in self._values:
            return self._values[name]
        try:
            return self._contracts.message(f"{self._name}.{name}")
        except KeyError:
            raise AttributeError(f"{self._name} has no {name}") from None

    def value_name(self, prefix, number):
        """The name of an enum's value, without the prefix that all values of the enum have."""
        for name, value in self._values.items():
            if value == number and name.startswith(prefix):
                return name[len(prefix):]
        return str(number)


CONTRACTS = Contracts.of_build()
auth = CONTRACTS.package("daler.auth.v1")
accounts = CONTRACTS.package("daler.accounts.v1")
payments = CONTRACTS.package("daler.payments.v1")
connector = CONTRACTS.package("daler.connector.v1")
rpc = CONTRACTS.package("google.rpc")
