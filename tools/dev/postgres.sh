# shellcheck shell=bash
# A PostgreSQL cluster of this environment's own. PostgreSQL refuses to run as root: then the user postgres runs it, and
# where that user can't enter the home, its data lives under /var/lib/daler; $home/pg.location says where.

pg_roles=(auth_owner auth_service accounts_owner accounts_service payments_owner payments_service)
pg_settings=() # lines for postgresql.conf that a command wants beside those of postgres.conf

# pg_ensure: sees that there is a cluster and that it runs.
pg_ensure() {
	local place as=() bin
	pg_user
	pg_locate
	if [ ! -f "$place/pg/PG_VERSION" ]; then
		pg_binaries
		pg_create
	else
		pg_binaries "$(<"$place/pg/PG_VERSION")"
	fi
	pg_configure "$place/pg"
	pg_clear_stale_lock
	process_start postgres INT "${as[@]}" "$bin/postgres" -D "$place/pg" -p "${port[postgres]}"
}

# pg_user: sets as to what runs a command as the cluster's user.
pg_user() {
	as=()
	[ "$EUID" != 0 ] || as=(setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all --)
}

# pg_locate: sets place to the folder that holds pg/.
pg_locate() {
	if [ ! -s "$home/pg.location" ]; then
		pg_choose_place
		printf '%s\n' "$place" | write_file "$home/pg.location"
	fi
	place=$(<"$home/pg.location")
	[ -d "$place" ] || install -d -m 0755 -- "${place%/*}" "$place" # a removal was stopped half-way
}

pg_choose_place() {
	place=$home
	[ ${#as[@]} != 0 ] || return 0
	pg_can_enter "$place" || {
		place=/var/lib/daler/$(printf '%s' "$home" | sha256sum | head -c 16)
		install -d -m 0755 /var/lib/daler
		if [ -e "$place/pg" ]; then
			say "$place holds the data of an environment that was moved, or removed by hand, and stays"
			place=$(mktemp -d "$place.XXXXXX")
		fi
		say "the user postgres can't enter $home: its data goes to $place"
		install -d -m 0755 "$place"
		pg_can_enter "$place" || die "the user postgres can't enter $place either"
	}
}

# pg_can_enter FOLDER: whether the cluster's user really gets to a folder of its own in there.
pg_can_enter() {
	local probe=$1/pg.probe status=0
	install -d -m 0700 -o postgres -g postgres "$probe"
	(cd / && "${as[@]}" touch "$probe/file") 2>/dev/null || status=1
	rm -rf -- "$probe"
	return $status
}

# pg_binaries [VERSION]: sets bin to the newest installed server's folder, or to that version's.
pg_binaries() {
	local version=${1:-} candidate
	bin=${DALER_PG_BINDIR:-}
	[ -z "$bin" ] || return 0
	while read -r candidate; do
		if [ -x "$candidate/postgres" ] && [ -x "$candidate/initdb" ]; then bin=$candidate; fi
	done < <(printf '%s\n' /usr/lib/postgresql/${version:-*}/bin | sort -V)
	[ -n "$bin" ] || bin=$(pg_config --bindir 2>/dev/null) || bin=
	[ -n "$bin" ] && [ -x "$bin/postgres" ] && pg_is "$version" ||
		die "no PostgreSQL ${version:-15 or newer} is installed (its data is in ${place:-}/pg)"
}

pg_is() { # VERSION: whether $bin is of that version, or, where none is asked, new enough
	local found
	found=$("$bin/postgres" --version)
	found=${found##*) }
	found=${found%%[.a-z]*}
	if [ -n "$1" ]; then [ "$found" = "$1" ]; else [ "$found" -ge 15 ]; fi
}

# pg_create: a copy of the template, with passwords of its own.
pg_create() {
	local cache template
	pg_template
	say "creating a PostgreSQL cluster in $place/pg"
	rm -rf -- "$place/pg.new"
	cp -a --reflink=auto -- "$template" "$place/pg.new"
	pg_passwords "$place/pg.new"
	sync -f "$place/pg.new"
	mv -- "$place/pg.new" "$place/pg"
}

# pg_template: sets template to a cluster with roles and databases and without passwords, made once for a server version.
# Making one takes seconds and copying it hardly any time, which matters to tests that have an environment each.
pg_template() {
	local key guard
	install -d -m 0711 "$root/.daler" "$root/.daler/cache"
	exec {guard}>"$root/.daler/cache/lock"
	flock "$guard"
	cache=$(pg_cache)
	key=$({ "$bin/postgres" --version && cat -- "$dev/cluster.sql"; } | cksum)
	template=$cache/pg-${key%% *}
	[ -d "$template" ] || pg_template_make
	exec {guard}>&-
}

# pg_cache: prints the folder for templates, which the cluster's user can enter.
pg_cache() (
	home=$root/.daler
	pg_locate >&2
	install -d -m 0711 "$place/cache"
	printf '%s\n' "$place/cache"
)

pg_template_make() {
	local log=$root/.daler/cache/template.log
	rm -rf -- "$template.new"
	mkdir -m 0700 -- "$template.new"
	[ ${#as[@]} = 0 ] || chown postgres:postgres "$template.new"
	pg_run "$bin/initdb" -D "$template.new" -U postgres --auth=reject --data-checksums --encoding=UTF8 --locale=C \
		--no-sync >"$log" 2>&1 || fail "initdb failed" "$log"
	pg_configure "$template.new"
	{
		! pg_has_statistics || echo 'CREATE EXTENSION pg_stat_statements;'
		cat -- "$dev/cluster.sql"
	} | pg_single "$template.new" template1
	mv -- "$template.new" "$template"
}

pg_passwords() { # FOLDER
	local role
	{
		printf "ALTER ROLE postgres PASSWORD '%s';\n" "$(<"$home/secrets/postgres.password")"
		for role in "${pg_roles[@]}"; do
			printf "ALTER ROLE %s PASSWORD '%s';\n" "$role" "$(<"$home/secrets/$role.password")"
		done
	} | pg_single "$1" postgres
}

# pg_configure FOLDER: writes the cluster's configuration.
pg_configure() {
	{
		cat -- "$dev/postgres.conf"
		# Of whole pages in the WAL, which most of it is after a checkpoint; pglz, what "on" means, is slower than they are.
		echo "wal_compression = $(pg_wal_compression)"
		[ ${#pg_settings[@]} = 0 ] || printf '%s\n' "${pg_settings[@]}"
		! pg_has_statistics || echo "shared_preload_libraries = 'pg_stat_statements'"
		echo "include 'local.conf'"
	} | pg_write "$1/postgresql.conf"
	[ -e "$1/local.conf" ] || echo '# Settings of your own; ./daler leaves this file alone.' | pg_write "$1/local.conf"
	printf 'host all all 127.0.0.1/32 scram-sha-256\n' | pg_write "$1/pg_hba.conf"
}

pg_wal_compression() {
	if grep -q 'liblz4\.so' "$bin/postgres"; then echo lz4; else echo on; fi
}

pg_write() { # FILE: what stands on standard input, as the cluster's user, who alone may go there
	local text
	text=$(cat)
	[ "$text" = "$(cat -- "$1" 2>/dev/null)" ] || printf '%s\n' "$text" | pg_run tee -- "$1" >/dev/null
}

# pg_single FOLDER DATABASE: runs the statements on standard input, one a line, in a cluster that is not running.
pg_single() {
	local output
	output=$(pg_run "$bin/postgres" --single -D "$1" "$2" 2>&1) && ! grep -qE 'ERROR:|FATAL:|PANIC:' <<<"$output" ||
		die "PostgreSQL can't set up its cluster: $output"
}

pg_run() {
	(cd / && "${as[@]}" "$@")
}

pg_has_statistics() {
	[ -e "${bin%/bin}/lib/pg_stat_statements.so" ]
}

# pg_clear_stale_lock: after a power loss the pid in postmaster.pid may be anybody's. Where no process at all works in
# the cluster's folder, the file is removed; with one there, PostgreSQL itself knows best.
pg_clear_stale_lock() {
	local lock=$place/pg/postmaster.pid
	[ ! -e "$lock" ] || [ -n "$(pg_processes)" ] || rm -f -- "$lock"
}

# pg_processes: prints the pids of all that work in the cluster's folder, left over ones too.
pg_processes() {
	local process comm
	for process in /proc/[0-9]*; do
		{ read -r comm <"$process/comm"; } 2>/dev/null || continue
		[[ $comm == postgres && $process/cwd -ef $place/pg ]] || continue
		printf '%s\n' "${process#/proc/}"
	done
}

# pg_ready: whether it takes connections.
pg_ready() {
	local pid place line=()
	process_of "$home/run/postgres.pid" || return 1
	{ read -r place <"$home/pg.location" && mapfile -t line <"$place/pg/postmaster.pid"; } 2>/dev/null || return 1
	[ "${line[0]:-}" = "$pid" ] && [[ ${line[7]:-} == ready* ]]
}

pg_down() {
	local place left
	[ -s "$home/pg.location" ] || return 0
	place=$(<"$home/pg.location")
	process_stop postgres INT 60
	wait_until 10 pg_deserted && return
	for left in $(pg_processes); do kill -KILL "$left" 2>/dev/null || true; done
}

pg_deserted() {
	[ -z "$(pg_processes)" ]
}

# pg_remove: for ever.
pg_remove() {
	local place
	[ -s "$home/pg.location" ] || return 0
	place=$(<"$home/pg.location")
	[ "$place" != "$home" ] || return 0
	remove_folder "$place"
	rmdir --ignore-fail-on-non-empty -- "${place%/*}"
}
