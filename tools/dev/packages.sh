# shellcheck shell=bash
# The distribution's packages: says which are missing, and installs only these.

packages_build=(
	build-essential cmake ninja-build pkg-config
	libgrpc-dev protobuf-compiler protobuf-c-compiler libprotobuf-c-dev libprotobuf-dev
	libpq-dev libhiredis-dev libssl-dev libargon2-dev libjwt-dev libjansson-dev libmicrohttpd-dev libsqlite3-dev
	postgresql redis-server openssl
)
packages_test=("${packages_build[@]}" libcmocka-dev procps python3 python3-grpcio python3-protobuf spin)
packages_lint=("${packages_test[@]}" clang clang-format clang-tidy)
packages_fuzz=("${packages_build[@]}" libcmocka-dev clang libclang-rt-14-dev)

# packages_need build|test|lint|fuzz: sees that the packages for it are there.
packages_need() {
	local -n wanted=packages_$1
	local missing=()
	[ "${DALER_PACKAGES:-}" != skip ] || return 0
	packages_missing "${wanted[@]}"
	[ ${#missing[@]} != 0 ] || return 0
	say "missing packages: ${missing[*]}"
	packages_can_install ||
		die "there is no apt-get here (or no sudo to use it). Please install what these Debian packages hold, and run
this again with DALER_PACKAGES=skip where they have other names: ${missing[*]}"
	packages_install "${missing[@]}"
	packages_missing "${wanted[@]}"
	[ ${#missing[@]} = 0 ] || die "still missing after the installation: ${missing[*]}"
}

packages_missing() { # PACKAGE...: sets missing
	local name status
	local -A installed=()
	while read -r status name; do
		[ "$status" != ii ] || installed[$name]=1
	done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null)
	missing=()
	for name in "$@"; do
		[ -n "${installed[$name]:-}" ] || missing+=("$name")
	done
}

packages_can_install() {
	command -v apt-get >/dev/null && { [ "$EUID" = 0 ] || command -v sudo >/dev/null; }
}

packages_install() {
	local log sudo=()
	[ "$EUID" = 0 ] || sudo=(sudo)
	log=$(mktemp "${TMPDIR:-/tmp}/daler-packages.XXXXXX")
	say "installing them with apt-get; this takes about a minute"
	"${sudo[@]}" bash "$dev/install.sh" "$@" >"$log" 2>&1 ||
		fail "apt-get could not install them" "$log"
	rm -f -- "$log"
}
