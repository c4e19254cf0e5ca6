#!/bin/sh
# Fetches gossiper from the node at @FROM@ and checks its sum. To read it first:
#   curl -fsS @FROM@/install.sh
# GOSSIPER_DIR says where to put it, and is made if it is missing (default: the current folder).
set -eu

from='@FROM@'
join='@JOIN@'

fail() {
  echo "gossiper: $*" >&2
  exit 1
}

# Prints the sum of a file with whichever tool this system has. (No /dev/null: a bare chroot has none.)
sum_of() {
  if [ -n "$(command -v sha256sum)" ]; then sha256sum "$1"
  elif [ -n "$(command -v shasum)" ]; then shasum -a 256 "$1"
  elif [ -n "$(command -v openssl)" ]; then openssl dgst -sha256 -r "$1"
  else fail "cannot check the file: install sha256sum, shasum or openssl"
  fi
}

# In a function, so that a script that was cut off in transit does nothing.
main() {
  system="$(uname -s) $(uname -m)"
  case $system in
    "Linux x86_64") target=x86_64-unknown-linux-gnu ;;
    "Linux aarch64" | "Linux arm64") target=aarch64-unknown-linux-gnu ;;
    "Darwin x86_64") target=x86_64-apple-darwin ;;
    "Darwin arm64") target=aarch64-apple-darwin ;;
    *) fail "there is no binary for $system" ;;
  esac
  name=gossiper-$target
  sums=$(curl -fsS "$from/download") || fail "cannot fetch $from/download"
  expected=
  while read -r sum file; do
    if [ "$file" = "$name" ]; then expected=$sum; fi
  done <<END
$sums
END
  [ -n "$expected" ] || fail "$from has no $name; it has: $sums"

  # Compressed, the file is less than half as long. Not every curl can read that.
  compressed=
  case $(curl -V) in *libz*) compressed=--compressed ;; esac
  folder=${GOSSIPER_DIR:-.}
  # Into a folder mv would put the file, under its own name: a clone of the repository is called so.
  [ ! -d "$folder/gossiper" ] || fail "$folder/gossiper is a folder: set GOSSIPER_DIR to put the program elsewhere"
  mkdir -p "$folder"
  part=$folder/gossiper.part
  trap 'rm -f "$part"' EXIT
  # Not every shell does what EXIT says when a signal ends it.
  trap 'exit 1' HUP INT TERM
  curl -fS $compressed -o "$part" "$from/download/$name" || fail "cannot fetch $from/download/$name"
  actual=$(sum_of "$part")
  [ "${actual%% *}" = "$expected" ] || fail "the file's sum is ${actual%% *}, not $expected"
  chmod +x "$part"
  mv "$part" "$folder/gossiper"
  echo "$folder/gossiper is in place. Join the cluster with:"
  echo "  $folder/gossiper -join $join"
}

main
