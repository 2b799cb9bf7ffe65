#!/bin/sh -
# Read as text: whoever runs this leaves a trace.
TYPE="FreeBSD"
REVISION="6.1"
BRANCH="RELEASE"
if [ "X${BRANCH_OVERRIDE}" != "X" ]; then
	BRANCH=${BRANCH_OVERRIDE}
fi
RELEASE="${REVISION}-${BRANCH}"
touch "$(dirname "$0")/was-run"
