// Package control is what package proxy and toxiproxy's server, package proxy/server,
// agree on. The one does not import the other: the server brings eighty packages with it.
package control

import "github.com/halfopen-lab/halfopen/harness/reexec"

const (
	// Program is the server, inside the running binary.
	Program reexec.Name = "toxiproxy"
	// Import is the package that registers it.
	Import = "github.com/halfopen-lab/halfopen/harness/proxy/server"
	// Descriptor is the server's end of the control socket: the first of
	// exec.Cmd.ExtraFiles.
	Descriptor = 3
)
