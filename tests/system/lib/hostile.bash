# What the files share in which a program in a container attacks: the program,
# and all the power over its own namespaces that can be given to it.

# shellcheck source=store.bash
. "${BASH_SOURCE[0]%/*}/store.bash"

# shellcheck disable=SC2034 # for those who load this
TOOL=(-v "$CACHE/hostile:/hostile:ro")
# shellcheck disable=SC2034
POWER=(--cap-add ALL --security-opt seccomp=unconfined)

# The store works: another container runs, and is gone.
store_works() {
	gives fine img run --rm base echo fine
}
