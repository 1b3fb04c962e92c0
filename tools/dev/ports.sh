# shellcheck shell=bash
# Ten TCP ports in a row for one environment: found once, recorded in $home/ports, and kept while nobody else takes them.
# Environments that start at the same moment keep apart by a reservation: a link from the first port to the home.

port_names=(auth auth_admin accounts accounts_admin payments payments_admin connector connector_admin postgres redis)
port_base_min=20000 port_base_max=32700 # below what Linux gives to outgoing connections
declare -A port

# ports_load: sets port[NAME] from the record; fails when there is none.
ports_load() {
	local name number
	[ -s "$home/ports" ] || return 1
	while IFS='=' read -r name number; do port[$name]=$number; done <"$home/ports"
	[ ${#port[@]} = ${#port_names[@]} ]
}

# ports_settle: loads the recorded ports, or finds new ones where there are none or a stranger has taken one meanwhile.
ports_settle() {
	local reservations=${TMPDIR:-/tmp}/daler-ports-$UID guard
	mkdir -p -m 0700 -- "$reservations"
	[ -O "$reservations" ] || die "$reservations belongs to another user"
	exec {guard}>"$reservations/lock"
	flock "$guard"
	ports_keep || ports_choose
	exec {guard}>&-
}

ports_keep() {
	local base
	ports_load || return 1
	base=${port[${port_names[0]}]}
	[ "${DALER_PORT_BASE:-$base}" = "$base" ] && ports_unclaimed "$base" || return 1
	wait_until 1 ports_free "$base" || return 1 # one of ours that was killed may take a moment to be gone
	ln -sfn -- "$home" "$reservations/$base"
}

ports_choose() {
	local base tries=200
	ports_forget
	if [ -n "${DALER_PORT_BASE:-}" ]; then
		base=$DALER_PORT_BASE
		[[ $base =~ ^[1-9][0-9]{3,4}$ ]] && [ "$base" -ge 1024 ] && [ "$base" -le 65000 ] ||
			die "DALER_PORT_BASE must be a number from 1024 to 65000, not '$base'"
		ports_free "$base" || die "a port between $base and $((base + ${#port_names[@]} - 1)) is in use; see DALER_PORT_BASE"
	else
		until
			base=$((port_base_min + (SRANDOM % ((port_base_max - port_base_min) / 10)) * 10))
			ports_unclaimed "$base" && ports_free "$base"
		do
			[ $((tries -= 1)) -gt 0 ] || die "no ten free ports in a row; give DALER_PORT_BASE"
		done
	fi
	ln -sfn -- "$home" "$reservations/$base"
	ports_write "$base"
	ports_load
}

# ports_forget: drops the reservations of this home, and those of homes that are gone.
ports_forget() {
	local reservation
	for reservation in "${TMPDIR:-/tmp}/daler-ports-$UID"/[0-9]*; do
		if [ ! -e "$reservation" ] || [ "$reservation" -ef "$home" ]; then rm -f -- "$reservation"; fi
	done
}

ports_write() { # BASE
	local name number=$1
	for name in "${port_names[@]}"; do
		printf '%s=%s\n' "$name" "$number"
		number=$((number + 1))
	done | write_file "$home/ports"
}

# ports_unclaimed BASE: no other environment that still exists has reserved them.
ports_unclaimed() {
	local other line
	other=$(readlink -- "$reservations/$1") || return 0
	[ "$other" != "$home" ] || return 0
	{ read -r line <"$other/ports"; } 2>/dev/null || return 0
	[ "$line" != "${port_names[0]}=$1" ]
}

# ports_free BASE: nobody listens there, but for processes of our own.
ports_free() {
	local name number=$1
	for name in "${port_names[@]}"; do
		! port_answers "$number" || ports_ours "$name" || return 1
		number=$((number + 1))
	done
}

ports_ours() { # NAME
	local service=${1%_admin} pid
	process_of "$home/run/${service/#connector/simulator}.pid"
}

port_answers() { # NUMBER
	(: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
