// Package environment is what environment variables say to halfopen. It is the only
// package that reads them, and the one that writes them for child processes and guests.
//
// Two kinds of variables are not here: the one that starts a program inside this binary
// (package reexec), and those of other programs, such as PATH. docs/environment.md is the
// page for users.
package environment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The names of the variables, for messages. Settings has their meanings.
const (
	Report       = "HALFOPEN_REPORT"
	LeaveOut     = "HALFOPEN_LEAVE_OUT"
	VirtualTime  = "HALFOPEN_VIRTUAL_TIME"
	Private      = "HALFOPEN_PRIVATE"
	RecordMatrix = "HALFOPEN_MATRIX_RECORD"
	KernelURL    = "HALFOPEN_KERNEL_URL"
	Explore      = "HALFOPEN_EXPLORE"
)

// Settings are the values of all variables. The zero value is that none is set.
type Settings struct {
	// Report is the directory that receives the evidence of failed specs. If it is empty,
	// each process makes a directory of its own among the temporary files.
	Report string
	// LeaveOut is the step that every lab leaves out, its kind and its number: "fault 1". A
	// spec that stays green although its fault never happened proves nothing.
	LeaveOut string
	// VirtualTime says that the clock is virtual: idle time costs nothing.
	VirtualTime bool
	// Private says that the process is in namespaces of its own already, or in a guest of
	// its own.
	Private bool
	// RecordMatrix makes the specs of the detection matrix measure without comparing.
	RecordMatrix bool
	// KernelURL is the address, http or https, of the folder with released user-mode
	// kernels. If it is empty, kernels are built.
	KernelURL string
	// Explore says what is done to the labs of this process; nil: they are not explored.
	Explore *Exploration
}

// Read reads the variables of this process. A variable that is yes or no is yes unless it
// is empty.
func Read() Settings {
	return Settings{
		Report:       os.Getenv(Report),
		LeaveOut:     os.Getenv(LeaveOut),
		VirtualTime:  os.Getenv(VirtualTime) != "",
		Private:      os.Getenv(Private) != "",
		RecordMatrix: os.Getenv(RecordMatrix) != "",
		KernelURL:    os.Getenv(KernelURL),
		Explore:      readExploration(),
	}
}

// Variables returns the settings as NAME=VALUE, for the environment of a child process or
// a guest. Every variable is there, so that a child does not inherit another value.
func (s Settings) Variables() []string {
	yes := map[bool]string{true: "1"}
	return []string{
		Report + "=" + s.Report,
		LeaveOut + "=" + s.LeaveOut,
		VirtualTime + "=" + yes[s.VirtualTime],
		Private + "=" + yes[s.Private],
		RecordMatrix + "=" + yes[s.RecordMatrix],
		KernelURL + "=" + s.KernelURL,
		s.Explore.Variable(),
	}
}

// Cache returns the directory in which halfopen keeps what it has built and fetched, such
// as kernels and packages: halfopen in XDG_CACHE_HOME, or in .cache of HOME. It may not
// exist yet.
func Cache() (string, error) {
	if os.Getenv("XDG_CACHE_HOME") == "" && os.Getenv("HOME") == "" {
		return "", errors.New("looking for the cache: neither HOME nor XDG_CACHE_HOME is set: set one of them to a directory")
	}
	name, value := "XDG_CACHE_HOME", os.Getenv("XDG_CACHE_HOME")
	if value == "" {
		name, value = "HOME", os.Getenv("HOME")
	}
	if err := checkPath(name, value); err != nil {
		return "", fmt.Errorf("looking for the cache: %w", err)
	}
	directory, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("looking for the cache: %w", err)
	}
	return filepath.Join(directory, "halfopen"), nil
}
