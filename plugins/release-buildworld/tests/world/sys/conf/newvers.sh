#!/bin/sh -
# Read as text: whoever runs this leaves a trace.
TYPE="FreeBSD"
REVISION="14.1"
BRANCH="RELEASE-p5"
if [ -n "${BRANCH_OVERRIDE}" ]; then
	BRANCH=${BRANCH_OVERRIDE}
fi
RELEASE="${REVISION}-${BRANCH}"
touch "$(dirname "$0")/was-run"
