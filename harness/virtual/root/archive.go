package root

import (
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// containerHosts is what a container finds in /etc/hosts (hosts(5)), whatever its image has
// there: containers' engines lay their own file over it.
const containerHosts = "127.0.0.1 localhost guest\n::1 localhost\n"

// OfInstalled returns the root of packages below which nothing lies (Installed.Whole), and nothing of this
// machine but what is in take. Into files it puts layers, as OfArchive does.
func OfInstalled(files *virtual.Files, layers string, i *Installed, take []string) (*guest.Root, error) {
	r, err := OfArchive(files, layers, i.File, false, take)
	if err == nil {
		r.Services = true
	}
	return r, err
}

// OfArchive returns the root that a tar archive of this machine has, such as a container
// image's (harness/virtual/image), and nothing of this machine but the files and directories
// in take: PATH or PATH:NAME. Into files it puts layers, in a directory of process 1's own that
// no other root has; copied: also the archive, for a guest that cannot reach this machine's files.
func OfArchive(files *virtual.Files, layers, archive string, copied bool, take []string) (*guest.Root, error) {
	below := guest.Layer{File: archive, Machine: true}
	if copied {
		below = guest.Layer{File: layers + "/archive.tar"}
		if err := files.Copy(below.File, archive); err != nil {
			return nil, err
		}
	}
	r := &guest.Root{Layers: []guest.Layer{below}}
	own := newLayer()
	if err := own.file("/etc/hosts", &unix.Stat_t{Mode: 0o644}, []byte(containerHosts)); err != nil {
		return nil, err
	}
	for _, what := range take {
		from, name, err := parseTake(what)
		if err != nil {
			return nil, err
		}
		if err := taking(from, own.copy(name, from)); err != nil {
			return nil, err
		}
	}
	return r, put(files, r, layers+"/own.tar", own)
}
