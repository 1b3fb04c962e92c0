#!/usr/bin/env bash
# run.sh PROGRAM: runs the migrations in a sandbox without services, and then PROGRAM.
set -euo pipefail

conninfo=${DALER_ACCOUNTS_DB%% password=*}
DALER_ACCOUNTS_DATABASE=$conninfo DALER_ACCOUNTS_DATABASE_OWNER=$conninfo \
	DALER_ACCOUNTS_DATABASE_OWNER_PASSWORD_FILE=$DALER_HOME/secrets/accounts_owner.password \
	"$DALER_BUILD_DIR/bin/daler-accounts" migrate
exec "$@"
