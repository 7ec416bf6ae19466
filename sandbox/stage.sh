# Mounts the capped tmpfs of one run, then becomes the rest of its arguments (bubblewrap). It runs as the jail's user, in a
# user and mount namespace of its own: bubblewrap can cap the size of a tmpfs, not its number of files.
# usage: stage.sh FOLDER NAME OPTIONS [NAME OPTIONS ...] -- COMMAND...
set -eu
stage=$1
shift
mount -t tmpfs -o size=1m,nr_inodes=16,mode=755,nosuid,nodev none "$stage"
while [ "$1" != "--" ]; do
    mkdir "$stage/$1"
    mount -t tmpfs -o "$2,mode=1777" none "$stage/$1"
    shift 2
done
shift
exec "$@"
