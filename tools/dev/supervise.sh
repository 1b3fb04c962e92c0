#!/usr/bin/env bash
# supervise.sh HOME NAME SIGNAL: runs the command in HOME/run/NAME.command, and again whenever it ends, as Kubernetes
# would, until SIGTERM, which it hands on as SIGNAL and outlives until the command is gone.
set -u

home=$1 name=$2 signal=$3
run=$home/run/$name
pause_ms_min=200 pause_ms_max=5000 # between two starts; doubled while the command keeps dying young
young_ms=10000
child=0 stopping=0 restarts=0 pause_ms=$pause_ms_min

# shellcheck source=tools/dev/process.sh
. "${BASH_SOURCE[0]%/*}/process.sh"
set -m # the command gets a process group of its own, and its signals are not ignored

note() {
	printf '{"time":"%(%Y-%m-%dT%H:%M:%S%z)T","level":"%s","service":"%s","message":"supervisor: %s"}\n' \
		-1 "$1" "$name" "$2"
}

now_ms() {
	local now=$EPOCHREALTIME
	now_ms=$((${now/[.,]/} / 1000))
}

stop() {
	stopping=1
	[ "$child" = 0 ] || kill -s "$signal" "$child" 2>/dev/null
}

start() {
	local command=()
	# shellcheck source=/dev/null
	. "$run.command"
	(
		process_record "$run.pid"
		exec "${command[@]}"
	) 2>&1 &
	child=$!
	[ "$stopping" = 0 ] || kill -s "$signal" "$child" 2>/dev/null
}

wait_child() {
	while
		wait "$child"
		status=$?
		kill -0 "$child" 2>/dev/null # a signal to us ends the wait, not the command
	do :; done
	child=0
}

rest() {
	local seconds
	printf -v seconds '%d.%03d' $((pause_ms / 1000)) $((pause_ms % 1000))
	sleep "$seconds" &
	wait $!
	pause_ms=$((pause_ms * 2 > pause_ms_max ? pause_ms_max : pause_ms * 2))
}

trap stop TERM
exec 2>/dev/null # where bash itself would tell of each job's end
process_record "$run.supervisor"
printf '%s\n' "$restarts" >"$run.restarts"
while [ "$stopping" = 0 ]; do
	now_ms
	started_ms=$now_ms
	start
	wait_child
	[ "$stopping" = 0 ] || break
	now_ms
	[ $((now_ms - started_ms)) -lt "$young_ms" ] || pause_ms=$pause_ms_min
	note warn "ended with status $status; started again in $pause_ms ms"
	rest
	restarts=$((restarts + 1))
	printf '%s\n' "$restarts" >"$run.restarts"
done
note info "stopped"
