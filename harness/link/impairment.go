package link

import (
	"fmt"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
)

// Impairment is what a link does to the packets that it sends (tc-netem(8)). The zero value
// does nothing. Loss, Duplicate, Corrupt and Reorder are percentages of the packets, from 0
// to 100.
type Impairment struct {
	Delay, Jitter time.Duration // each packet is late by Delay ± Jitter, to the microsecond
	Loss          float64
	Duplicate     float64
	Corrupt       float64 // one bit is flipped
	Reorder       float64 // the packet is sent at once and not after Delay, which must not be zero
	Rate          uint64  // bits a second; zero: no limit
}

// validate returns an error for what netem would refuse, or would take for something else.
func (i Impairment) validate() error {
	for _, percentage := range []struct {
		name  string
		value float64
	}{{"loss", i.Loss}, {"duplication", i.Duplicate}, {"corruption", i.Corrupt}, {"reordering", i.Reorder}} {
		if percentage.value < 0 || percentage.value > 100 {
			return fmt.Errorf("the %s of %v %% is not between 0 and 100", percentage.name, percentage.value)
		}
	}
	switch {
	case i.Delay < 0 || i.Jitter < 0:
		return fmt.Errorf("the delay %v with jitter %v is negative", i.Delay, i.Jitter)
	case i.Delay > maxDelay || i.Jitter > maxDelay:
		return fmt.Errorf("the delay %v with jitter %v is more than netem takes, %v", i.Delay, i.Jitter, maxDelay)
	case i.Delay == 0 && i.Jitter > 0:
		return fmt.Errorf("the jitter %v needs a delay", i.Jitter)
	case i.Delay == 0 && i.Reorder > 0:
		return fmt.Errorf("the reordering of %v %% needs a delay: what is not delayed cannot be overtaken", i.Reorder)
	case i.Rate > 0 && i.Rate < 8:
		return fmt.Errorf("the rate of %d bits a second is less than netem takes, a byte", i.Rate)
	}
	return nil
}

// maxDelay fits into the 32 bits in which netem takes a delay, in ticks of 64 ns
// (net/sched/sch_netem.c, struct tc_netem_qopt; include/net/pkt_sched.h).
const maxDelay = 4 * time.Minute

// String returns the impairment as tc(8) takes it: "delay 300ms 50ms loss 20%".
func (i Impairment) String() string {
	var words []string
	if i.Delay > 0 {
		words = append(words, "delay "+i.Delay.String())
		if i.Jitter > 0 {
			words = append(words, i.Jitter.String())
		}
	}
	for _, percentage := range []struct {
		name  string
		value float64
	}{{"loss", i.Loss}, {"duplicate", i.Duplicate}, {"corrupt", i.Corrupt}, {"reorder", i.Reorder}} {
		if percentage.value > 0 {
			words = append(words, fmt.Sprintf("%s %v%%", percentage.name, percentage.value))
		}
	}
	if i.Rate > 0 {
		words = append(words, fmt.Sprintf("rate %dbit", i.Rate))
	}
	return strings.Join(words, " ")
}

// Impair impairs the packets that a link sends from now on. It replaces an earlier
// impairment; the zero value ends it. The delay of the cable itself remains, and that of
// the impairment is added. The error is ENOENT if the kernel has no netem.
//
// The packets that an earlier impairment still delays are lost. The packets on a cable
// without an impairment arrive.
func (l *Links) Impair(name string, i Impairment) error {
	if err := i.validate(); err != nil {
		return fmt.Errorf("impairing %s %s: %w", l.ns.Name(), name, err)
	}
	link, err := l.find(name)
	if err != nil {
		return err
	}
	attributes := netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
	total := i
	total.Delay += l.delays[name]
	qdisc := netlink.NewNetem(attributes, netlink.NetemQdiscAttrs{
		Latency:     uint32(total.Delay / time.Microsecond),
		Jitter:      uint32(i.Jitter / time.Microsecond),
		Loss:        float32(i.Loss),
		Duplicate:   float32(i.Duplicate),
		CorruptProb: float32(i.Corrupt),
		ReorderProb: float32(i.Reorder),
		Rate64:      i.Rate / 8, // netem counts in bytes
		Limit:       queue,
	})
	// A change of netem keeps the corruption and the rate that it does not name
	// (net/sched/sch_netem.c, netem_change), so an earlier impairment is removed first. The
	// delay of a cable has neither: it is changed, and its packets stay in the queue.
	if l.impaired[name] {
		err = l.handle.QdiscDel(qdisc)
		l.impaired[name] = err != nil
	}
	if err == nil && total != (Impairment{}) {
		err = l.handle.QdiscReplace(qdisc)
	}
	if err != nil {
		return fmt.Errorf("impairing %s %s: tc qdisc netem %v: %w", l.ns.Name(), name, total, err)
	}
	l.impaired[name] = i != Impairment{}
	return nil
}

// queue is the number of packets that a link with a delay holds. The sockets of a lab send
// fewer, so that Loss alone loses packets.
const queue = 1 << 20
