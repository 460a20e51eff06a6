// Package debian asks the system's apt for Debian's packages, and fetches them: what
// apt-get install would do, and the archives for it (Resolve, Installation); or the files of
// a package, unpacked into the cache (Unpacked), such as a kernel and the programs that labs
// need. Everything is in a cache in the user's home: nothing is installed here, and no root is
// needed.
//
// Installing in a guest is harness/virtual/root's.
package debian
