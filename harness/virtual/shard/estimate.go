package shard

import (
	"strconv"
	"strings"
	"time"
)

// What the labels of a Ginkgo spec begin with that say what it takes.
const (
	waits = "waits "
	costs = "costs "
)

// WaitLabel returns a label for a Ginkgo spec that spends so much time waiting. Shards are
// to take equally long, and even idle hours take a little.
func WaitLabel(d time.Duration) string { return waits + d.String() }

// CostLabel returns a label for a Ginkgo spec that takes as much processor time, beside
// its waits, as so many ordinary specs do. An ordinary spec needs no such label.
func CostLabel(ordinary int) string { return costs + strconv.Itoa(ordinary) }

// Estimate returns what the labels of a spec say: how long it waits, and how many ordinary
// specs it costs. Without labels that is 0 and 1. A label that begins as ours do and goes
// on differently is somebody else's.
func Estimate(labels []string) (wait time.Duration, cost int) {
	cost = 1
	for _, label := range labels {
		if d, err := time.ParseDuration(strings.TrimPrefix(label, waits)); err == nil && strings.HasPrefix(label, waits) {
			wait = d
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(label, costs)); err == nil && strings.HasPrefix(label, costs) {
			cost = n
		}
	}
	return wait, cost
}

// hour is what an hour of waiting takes of a processor, where an ordinary unit takes 1:
// the kernel and the runtimes of programs wake up all the same.
const hour = 0.2

// cost estimates the processor time that a unit takes.
func (u Unit) cost() float64 { return float64(u.Cost) + hour*u.Wait.Hours() }
