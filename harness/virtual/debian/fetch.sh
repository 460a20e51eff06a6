#!/bin/sh
# Unpacks Debian packages and what they depend on to a directory, which must not exist:
# sh fetch.sh "iptables dash" /tmp/tools. Nothing is installed and no root is needed.
#
# The system's own apt fetches them, with its sources, keys and proxies, but keeps its
# lists and packages beside the directory. A kernel (linux-image-…) comes without what it
# depends on, which is there to install it. One that the sources do not have is
# looked for in the release's backports.
set -eu

fail() { echo "debian: $*" >&2; exit 1; }

[ $# -ge 2 ] || fail "usage: sh fetch.sh PACKAGES DIRECTORY; a package may be PACKAGE=VERSION"
packages=$1
directory=$2
sources=${3:-} # more of apt's configuration
parent=$(dirname "$directory")

command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 ||
	fail "$packages: they come from Debian's archive, and there is no apt-get here: run this on Debian, once, and copy $directory"
echo "debian: fetching $packages" >&2

mkdir -p "$parent"
work=$(mktemp -d "$parent/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/sources"
: >"$work/status"
cat >"$work/apt.conf" <<END
$sources
Dir::State::Lists "$work/lists";
Dir::State::Status "$work/status";
Dir::Cache "$work/cache";
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false";
APT::Update::Post-Invoke-Success {};
Debug::NoLocking "true";
END
export APT_CONFIG="$work/apt.conf"

apt() {
	apt-get -qq "$@" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		return 1
	}
}
# unknown prints the first of the packages that apt does not know.
unknown() {
	for package in $packages; do
		apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || { echo "$package"; return; }
	done
}

apt update || fail "apt-get could not update its lists"
package=$(unknown)
if [ -n "$package" ]; then
	# The last line is the newest release that the sources have. apt before 2.7 does not know
	# which key signs a source, and then takes any of the system's.
	apt-get indextargets --format '$(SITE) $(CODENAME) $(SIGNED_BY)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' |
		sort -u | sed -n 's|^\([^ ]*\) \([a-z]*\) \(.*\)|deb [signed-by=\3] \1 \2-backports main|p' | sed 's|\[signed-by=$(SIGNED_BY)\] ||' >"$work/sources/backports.list"
	echo "Dir::Etc::SourceList \"$work/sources/backports.list\"; Dir::Etc::SourceParts \"-\";" >>"$work/apt.conf"
	apt update || fail "apt knows no package $package, and its lists could not be updated with backports"
	[ -z "$(unknown)" ] || fail "apt knows no package $package, not in backports either: see 'apt-cache search ${package%%=*}'"
fi

case $packages in
linux-image-*)
	# A name without a version stands for the newest one, on which it depends.
	real=$(apt-cache depends "$packages" | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
	(cd "$work/cache/archives" && apt download "${real:-$packages}")
	;;
*) apt install --download-only $packages ;;
esac || fail "apt-get could not fetch $packages"

# Every system since Debian 12 has these links; packages still have files on both sides.
mkdir -p "$work/root/usr/bin" "$work/root/usr/sbin" "$work/root/usr/lib" "$work/root/usr/lib64"
for link in bin sbin lib lib64; do
	ln -s "usr/$link" "$work/root/$link"
done
for archive in "$work"/cache/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$archive" | tar -x --keep-directory-symlink --no-same-owner -C "$work/root" ||
		fail "$archive could not be unpacked"
	mkdir -p "$work/root/var/lib/dpkg"
	dpkg-deb --show --showformat '${Package} ${Version}\n' "$archive" >>"$work/root/var/lib/dpkg/versions"
done
(cd "$work/root" && find * -type f -exec sha256sum {} + >"$work/sums") && mv "$work/sums" "$work/root/var/lib/dpkg/sums" ||
	fail "the checksums of $packages could not be written"
mv -T "$work/root" "$directory" 2>/dev/null || [ -d "$directory" ] || fail "$directory could not be written"
