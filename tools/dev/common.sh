# shellcheck shell=bash
# What every part of ./daler uses: where things are, how to speak, how to wait.
# Sourced by ./daler, which sets root.

# Another checkout's `env` in this shell must not make us work on its environment.
if [ -n "${DALER_ROOT:-}" ] && [ "$DALER_ROOT" != "${root:?}" ]; then
	unset DALER_HOME DALER_BUILD_DIR
fi

home=$(realpath -m -- "${DALER_HOME:-$root/.daler}")
build=$(realpath -m -- "${DALER_BUILD_DIR:-$root/build/release}")
trust_domain=daler.local

say() {
	[ -n "${quiet:-}" ] || printf '%s\n' "$*"
}

die() {
	printf 'daler: %s\n' "$*" >&2
	exit 2
}

# fail MESSAGE [LOG]: something did not work, and here is the end of its log.
fail() {
	printf 'daler: %s\n' "$1" >&2
	if [ -n "${2:-}" ] && [ -f "$2" ]; then
		printf '%s\n' "--- the end of $2" >&2
		tail -n 25 -- "$2" >&2
	fi
	exit 1
}

# now_ms: sets now_ms to the milliseconds since some moment.
now_ms() {
	local now=$EPOCHREALTIME
	now_ms=$((${now/[.,]/} / 1000))
}

# wait_until SECONDS COMMAND...: asks COMMAND every few milliseconds until it says yes, or the time is over.
wait_until() {
	local deadline_ms
	now_ms
	deadline_ms=$((now_ms + $1 * 1000))
	shift
	until "$@"; do
		now_ms
		[ "$now_ms" -lt "$deadline_ms" ] || return 1
		sleep 0.03
	done
}

# retry COMMAND...: again where it fails, for it may have lost its database in the middle; not where it was called wrongly.
retry() {
	local tries status
	for tries in 1 2 3 4 5; do
		status=0
		"$@" || status=$?
		[ "$status" != 0 ] && [ "$status" != 2 ] && [ "$tries" != 5 ] || return "$status"
		sleep 1
	done
}

# write_file FILE: what stands on standard input, all at once or not at all.
write_file() {
	cat >"$1.new"
	mv -f -- "$1.new" "$1"
}

# secret_make FILE: a generated password, unless there is one.
secret_make() {
	[ -s "$1" ] || printf '%s' "$(openssl rand -hex 24)" | write_file "$1"
}

# remove_folder FOLDER: it is gone at once, so that nobody finds half of it.
remove_folder() {
	rm -rf -- "$1.removed"
	mv -T -- "$1" "$1.removed"
	rm -rf -- "$1.removed"
}
