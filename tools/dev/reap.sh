#!/usr/bin/env bash
# reap.sh DALER HOME: waits until nobody holds HOME/alive open any more, and removes the environment in HOME.
set -u
trap '' INT TERM HUP
read -r _ <"$2/alive"
"$1" remove
