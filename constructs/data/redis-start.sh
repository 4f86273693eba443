#!/bin/sh
# Starts Redis with the passwords that the environment holds: that of clients under the name that redis-cli reads, and,
# where there is one, that of KEDA.
#
# The configuration knows a file with the users; this writes it. It holds digests of the passwords, so a
# password may contain any character. Clients may do everything with data, but not stop or reconfigure the
# server, or empty it in one stroke. KEDA may count what is in a list: with one program, which runs as its user, so
# it cannot do more by it.
set -eu

digest() {
  printf '%s' "$1" | sha256sum | cut -d ' ' -f 1
}

umask 077
printf 'user default on #%s ~* &* +@all -@admin -flushall -flushdb -swapdb\n' \
  "$(digest "${REDISCLI_AUTH}")" > "${REDIS_ACL_FILE}"
if [ -n "${REDIS_KEDA_PASSWORD:-}" ]; then
  printf 'user keda on #%s ~* resetchannels -@all +ping +eval +type +llen\n' \
    "$(digest "${REDIS_KEDA_PASSWORD}")" >> "${REDIS_ACL_FILE}"
fi
exec redis-server "${REDIS_CONFIG}"
