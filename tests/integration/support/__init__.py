"""What the black-box tests share: clients that are not ours, and hands on a private environment.

The tests run inside `./daler sandbox`, which exports where everything is. Only python3-grpcio and python3-protobuf are
needed; the message classes are made from the descriptor set that the build leaves in proto/descriptors.pb.
"""
