# What every file of system tests loads.
REPO=$(cd "$BATS_TEST_DIRNAME" && while [ ! -e tests/run-system ]; do cd ..; done && pwd)
IMG=${IMG_TEST_PROGRAM:-$REPO/build/img}
export CACHE=$REPO/build/cache FIXTURES=$REPO/tests/system/fixtures
# shellcheck source=try.bash
. "$REPO/tests/system/lib/try.bash"

img() {
	"$IMG" "$@"
}
