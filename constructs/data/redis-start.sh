#!/bin/sh
# Starts Redis with the password that the environment holds, under the name that redis-cli reads.
#
# The configuration knows a file with the users; this writes it. It holds a digest of the password, so a
# password may contain any character.
set -eu

digest="$(printf '%s' "${REDISCLI_AUTH}" | sha256sum | cut -d ' ' -f 1)"
umask 077
printf 'user default on #%s ~* &* +@all\n' "${digest}" > "${REDIS_ACL_FILE}"
exec redis-server "${REDIS_CONFIG}"
