# shellcheck shell=bash
# Processes by name: NAME.pid is the process, NAME.supervisor the loop that starts it again; both in $home/run.
# A record holds pid, start time and boot, so that a pid that was given to a stranger since is never taken for ours.

# process_started PID: sets started to when it started (in ticks since boot), and parent; fails when there is no such process.
process_started() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	read -r -a stat <<<"${stat##*) }"
	[ "${stat[0]}" != Z ] && [ "${stat[0]}" != X ] || return 1
	parent=${stat[1]} started=${stat[19]}
}

# process_record FILE: records the calling process.
process_record() {
	local boot started parent
	read -r boot </proc/sys/kernel/random/boot_id
	process_started "$BASHPID"
	printf '%s %s %s\n' "$BASHPID" "$started" "$boot" >"$1.new.$BASHPID"
	mv -f -- "$1.new.$BASHPID" "$1"
}

# process_of FILE: sets pid to the process that the record FILE names; fails when it is gone.
process_of() {
	local recorded_pid recorded_start recorded_boot boot started parent
	pid=
	{ read -r recorded_pid recorded_start recorded_boot <"$1"; } 2>/dev/null || return 1
	read -r boot </proc/sys/kernel/random/boot_id
	[ "$recorded_boot" = "$boot" ] || return 1
	process_started "$recorded_pid" || return 1
	[ "$recorded_start" = "$started" ] || return 1
	pid=$recorded_pid
}

process_gone() { # NAME
	local pid
	! process_of "$home/run/$1.supervisor" && ! process_of "$home/run/$1.pid"
}

# process_start NAME SIGNAL COMMAND...: sees that COMMAND runs under a supervisor, which ends it with SIGNAL.
# One that already runs stays, unless it was started with another command or from another file.
process_start() {
	local name=$1 signal=$2 pid
	shift 2
	process_command "$@" >"$home/run/$name.command.new"
	if process_current "$name"; then
		rm -f -- "$home/run/$name.command.new"
		return
	fi
	process_stop "$name" "$signal"
	mv -f -- "$home/run/$name.command.new" "$home/run/$name.command"
	(
		cd /
		[ -z "${lock:-}" ] || exec {lock}>&-
		[ -z "${reaper:-}" ] || exec {reaper}>&-
		DALER_SUPERVISED=$home setsid bash "$root/tools/dev/supervise.sh" "$home" "$name" "$signal" \
			</dev/null >>"$home/log/$name.log" 2>&1 &
	)
	wait_until 5 process_of "$home/run/$name.supervisor" ||
		fail "the supervisor of $name did not start" "$home/log/$name.log"
}

process_command() { # COMMAND...: how a supervisor reads it
	printf '# What the supervisor runs.\ncommand=('
	printf ' \\\n\t%q' "$@"
	printf '\n)\n'
}

# process_current NAME: supervised, with the command in NAME.command.new, and from the file that stands there now.
process_current() {
	local file=$home/run/$1.command pid command
	process_of "$home/run/$1.supervisor" || return 1
	cmp -s -- "$file" "$file.new" || return 1
	process_of "$home/run/$1.pid" || return 0 # its supervisor is about to start it
	# shellcheck source=/dev/null
	. "$file"
	process_runs "$pid" "${command[@]}"
}

# process_runs PID COMMAND...: whether a word of COMMAND is the file that PID executes; a rebuilt file is another one.
process_runs() {
	local pid=$1 word
	shift
	for word in "$@"; do
		if [[ $word == /* && /proc/$pid/exe -ef $word ]]; then return 0; fi
	done
	return 1
}

# process_stop NAME SIGNAL: ends the supervisor and its process, and waits; what does not end in time is killed.
process_stop() {
	local name=$1 signal=$2 pid patience_s=${3:-20}
	if process_of "$home/run/$name.supervisor"; then
		kill -TERM "$pid" 2>/dev/null || true
	elif process_of "$home/run/$name.pid"; then
		kill -s "$signal" "$pid" 2>/dev/null || true
	else
		rm -f -- "$home/run/$name.pid" "$home/run/$name.supervisor"
		return 0
	fi
	if ! wait_until "$patience_s" process_gone "$name"; then
		say "$name did not stop within $patience_s s, and is killed"
		process_kill "$home/run/$name.supervisor"
		process_kill "$home/run/$name.pid"
		wait_until 10 process_gone "$name" || fail "$name can't be stopped"
	fi
	rm -f -- "$home/run/$name.pid" "$home/run/$name.supervisor"
}

process_kill() { # FILE
	local pid
	! process_of "$1" || kill -KILL "$pid" 2>/dev/null || true
}

# process_strays: prints the pids of what this home's supervisors started, and of these, that no record knows.
process_strays() {
	local file pid known=' ' started parent
	for file in "$home"/run/*.supervisor "$home"/run/*.pid; do
		! process_of "$file" || known+="$pid "
	done
	grep -lzsxF -- "DALER_SUPERVISED=$home" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do
		process_started "$pid" || continue
		[[ $known == *" $pid "* || $known == *" $parent "* ]] || printf '%s\n' "$pid"
	done || true
}
