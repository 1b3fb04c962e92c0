# shellcheck shell=bash
# A Redis of this environment's own: a cache, so nothing of it is kept.

redis_ensure() {
	local server folder=$home/redis
	server=$(command -v redis-server) || die "redis-server is not installed"
	mkdir -p "$folder"
	folder=${folder//\\/\\\\} folder=${folder//\"/\\\"} # as Redis reads what stands in quotes
	write_file "$home/redis/redis.conf" <<EOF
bind 127.0.0.1
protected-mode yes
requirepass $(<"$home/secrets/redis.password")
dir "$folder"
daemonize no
supervised no
set-proc-title no
save ""
appendonly no
maxmemory 64mb
maxmemory-policy allkeys-lru
EOF
	process_start redis TERM "$server" "$home/redis/redis.conf" --port "${port[redis]}"
}

# redis_ready: whether it takes our password and answers.
redis_ready() (
	trap '' PIPE # it may die while we ask
	process_of "$home/run/redis.pid" || return 1
	{ exec {link}<>"/dev/tcp/127.0.0.1/${port[redis]}"; } 2>/dev/null || return 1
	printf 'AUTH %s\r\nPING\r\n' "$(<"$home/secrets/redis.password")" >&"$link" 2>/dev/null
	read -r -t 1 answer <&"$link" && read -r -t 1 answer <&"$link" || answer=
	[ "$answer" = $'+PONG\r' ]
)

redis_down() {
	process_stop redis TERM
}
