# shellcheck shell=bash
# A fresh private environment around one command. Whatever happens to the command or to us, a SIGKILL included, the
# environment goes: a process apart waits for the end of a pipe that only we hold open, and tears it down. The command does
# not outlive us either, and so neither does what waits for the command's end in this way.

# sandbox_run [--no-services] COMMAND...: exits as COMMAND does.
sandbox_run() {
	local reaper child='' mode='' status=0 quiet=1 mask
	mask=$(umask)
	if [ "${1:-}" = --no-services ]; then mode=$1 && shift; fi
	[ $# != 0 ] || die "sandbox: which command?"
	unset DALER_PORT_BASE DALER_TOKEN DALER_{AUTH,ACCOUNTS,PAYMENTS,SIMULATOR,POSTGRES,REDIS}_PID
	home=$(mktemp -d "${TMPDIR:-/tmp}/daler-sandbox.XXXXXX")
	environment_prepare
	sandbox_reaper
	trap 'sandbox_end' EXIT
	trap 'sandbox_interrupted 130' INT
	trap 'sandbox_interrupted 143' TERM HUP
	sandbox_sanitizers
	environment_up "$mode"
	umask "$mask"
	if [ -z "$mode" ]; then env_load; else env_export; fi
	sandbox_command "$@" || status=$?
	[ "$status" = 0 ] || sandbox_show_logs
	sandbox_sanitized || status=1
	exit "$status"
}

# sandbox_sanitizers: whatever process of ours runs in here, a sanitizer's report about it is a file of its own.
sandbox_sanitizers() {
	local name
	for name in ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS; do
		export "$name=${!name:+${!name}:}log_path=$home/log/sanitizer"
	done
}

# sandbox_sanitized: whether no sanitizer reported anything; the services are stopped, for leaks are reported at the end.
sandbox_sanitized() {
	local reports
	services_down
	shopt -s nullglob
	reports=("$home"/log/sanitizer.*)
	[ ${#reports[@]} != 0 ] || return 0
	printf '%s\n' "--- a sanitizer reported" >&2
	head -n 200 -q -- "${reports[@]}" >&2
	return 1
}

# sandbox_command COMMAND...: in the foreground for somebody at a terminal; else in the background, so that a signal to us
# reaches it at once and not when it has ended.
sandbox_command() {
	if [ -t 0 ]; then
		setpriv --pdeathsig KILL -- "$@" {reaper}>&-
		return
	fi
	setpriv --pdeathsig KILL -- "$@" <&0 {reaper}>&- &
	child=$!
	wait "$child"
}

sandbox_interrupted() { # STATUS
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true
	exit "$1"
}

sandbox_reaper() {
	mkfifo "$home/alive"
	(
		trap '' INT TERM HUP
		DALER_HOME=$home DALER_BUILD_DIR=$build setsid bash "$dev/reap.sh" "$root/daler" "$home" \
			</dev/null >/dev/null 2>&1 &
	)
	exec {reaper}>"$home/alive"
}

sandbox_end() {
	trap '' INT TERM HUP
	exec {reaper}>&-
	wait_until 60 sandbox_gone || printf 'daler: the sandbox %s is still there\n' "$home" >&2
}

sandbox_gone() {
	[ ! -e "$home" ]
}

sandbox_show_logs() {
	local log
	for log in "$home"/log/*.log; do
		[ -s "$log" ] || continue
		printf '%s\n' "--- the end of ${log##*/}"
		tail -n 15 -- "$log"
	done >&2
}
