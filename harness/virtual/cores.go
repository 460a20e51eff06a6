package virtual

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Cores returns the numbers of the cores that this process may use.
func Cores() ([]int, error) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return nil, fmt.Errorf("asking for the cores that may be used: %w", err)
	}
	var cores []int
	for core := range len(allowed) * 64 {
		if allowed.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores, nil
}
