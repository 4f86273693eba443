#!/bin/sh
# Starts Redis with the password that the environment holds, under the name that redis-cli reads.
#
# The configuration knows a file with the users; this writes it. It holds a digest of the password, so a
# password may contain any character. Clients may do everything with data, but not stop or reconfigure the
# server, or empty it in one stroke.
set -eu

digest="$(printf '%s' "${REDISCLI_AUTH}" | sha256sum | cut -d ' ' -f 1)"
umask 077
printf 'user default on #%s ~* &* +@all -@admin -flushall -flushdb -swapdb\n' "${digest}" > "${REDIS_ACL_FILE}"
exec redis-server "${REDIS_CONFIG}"
