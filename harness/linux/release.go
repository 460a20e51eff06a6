// Package linux knows the release of the running kernel. What a kernel can do beyond that
// depends on its options: package require tries it.
package linux

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Release returns what the running kernel calls its release (uname -r): "6.12.117" or
// "6.1.0-56-cloud-amd64".
func Release() string { return release() }

var release = sync.OnceValue(func() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		panic(err) // EFAULT alone, for memory that is not the caller's (uname(2))
	}
	return unix.ByteSliceToString(name.Release[:])
})

// Version is the beginning of a release: {6, 12} of "6.12.117". The zero value is older
// than every kernel.
type Version struct{ Major, Minor int }

// Running returns the running kernel's version.
func Running() Version {
	v, _ := parse(Release()) // every kernel's release begins so (Makefile, KERNELVERSION)
	return v
}

func parse(release string) (v Version, err error) {
	_, err = fmt.Sscanf(release, "%d.%d", &v.Major, &v.Minor)
	return v, err
}

// Before reports whether v is older than other.
func (v Version) Before(other Version) bool {
	return v.Major < other.Major || v.Major == other.Major && v.Minor < other.Minor
}

// String returns the version as it is written: "6.12".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }
