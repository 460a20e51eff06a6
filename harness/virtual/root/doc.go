// Package root puts programs into the root file system of a virtual guest
// (virtual.Files): programs of this machine with the shared libraries, the interpreter
// and the locale that they need, files and directories of this machine, and Debian
// packages with the users and directories that their installation makes.
//
// AddProgram is all that a single program file takes, such as a compiled Go test. A
// FileSystem puts together a guest for whole commands.
//
// Fetching packages is harness/virtual/debian's, and running the guest harness/virtual's.
package root
