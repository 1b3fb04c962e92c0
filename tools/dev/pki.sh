# shellcheck shell=bash
# The development PKI: one CA, and a certificate for each identity. pki/<identity> is a link to a folder that is never
# changed, so that a renewal swaps key and certificate at once, as a Kubernetes secret mount does.

identities=(auth accounts payments connector gateway operator monitor)
leaf_days=90 renewal_days=30

pki_ensure() {
	local identity pki=$home/pki
	mkdir -p "$pki/ca"
	[ -s "$pki/ca/ca.crt" ] || pki_ca
	for identity in "${identities[@]}"; do
		pki_fresh "$identity" || pki_leaf "$identity"
	done
}

pki_fresh() { # IDENTITY
	[ -s "$pki/$1/tls.crt" ] &&
		openssl x509 -in "$pki/$1/tls.crt" -noout -checkend $((renewal_days * 86400)) >/dev/null
}

pki_ca() {
	local ca=$pki/ca
	pki_openssl -extensions ca -days 3650 -subj "/O=Daler development/CN=Daler development CA" \
		-keyout "$ca/ca.key" -out "$ca/ca.crt.new"
	mv -- "$ca/ca.crt.new" "$ca/ca.crt" # last: it says that both are there
}

pki_leaf() { # IDENTITY
	local identity=$1 folder=$pki/.made/$1.$EPOCHSECONDS.$$ old
	mkdir -p "$folder"
	IDENTITY=$identity SPIFFE=spiffe://$trust_domain/$identity \
		pki_openssl -extensions leaf -days $leaf_days -subj "/O=Daler development/CN=$identity" \
		-CA "$pki/ca/ca.crt" -CAkey "$pki/ca/ca.key" -keyout "$folder/tls.key" -out "$folder/tls.crt"
	cp -- "$pki/ca/ca.crt" "$folder/ca.crt"
	old=$(readlink -- "$pki/$identity") || old=
	ln -sfn -- ".made/${folder##*/}" "$pki/$identity.new"
	mv -fT -- "$pki/$identity.new" "$pki/$identity"
	[ -z "$old" ] || rm -rf -- "${pki:?}/$old"
}

pki_openssl() {
	local errors
	errors=$(openssl req -x509 -new -config "$dev/pki.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
		"$@" 2>&1) || die "openssl can't make a certificate: $errors"
}
