// Package root makes the root file systems of programs in virtual guests.
//
// A guest of the user-mode kernel has this machine's own root (OfMachine), with Debian
// packages as apt-get install leaves them (Install): apt fetches them, dpkg installs them in
// a guest, and what has changed there is kept in the cache.
//
// A guest that cannot reach this machine's files has copies (FileSystem): programs with the
// shared libraries, the interpreter and the locale that they need. AddProgram is all that a
// single program file takes, such as a compiled Go test.
//
// Mounting a root is harness/virtual/guest's, asking and running apt harness/virtual/debian's.
package root
