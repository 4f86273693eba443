#!/bin/sh
# Starts Ollama, pulls the model unless it is there, and says when it is.
#
# Environment, set by the Deployment:
#   OLLAMA_MODEL    model to serve
#   OLLAMA_READY    file that exists when the model is there
set -eu

rm -f "${OLLAMA_READY}"
ollama serve &
server=$!

# A shell that is process 1 ignores SIGTERM unless it says otherwise; the server finishes what is under way.
trap 'kill -TERM "${server}"; wait "${server}"; exit 143' TERM INT

# The server answers a moment after it was started.
until ollama list >/dev/null 2>&1; do
  kill -0 "${server}" 2>/dev/null || exit 1
  sleep 1
done

if ! ollama show "${OLLAMA_MODEL}" >/dev/null 2>&1; then
  # A pull that was broken off goes on where it was. In the background, so that a signal is heard meanwhile.
  until { ollama pull "${OLLAMA_MODEL}" & wait $!; }; do
    kill -0 "${server}" 2>/dev/null || exit 1
    echo "the pull of ${OLLAMA_MODEL} failed; trying again" >&2
    sleep 5
  done
fi
touch "${OLLAMA_READY}"
wait "${server}"
