package scenarios

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// ResetBothEnds is a middlebox that ends every connection that passes it: it sends RST to both
// ends, to each in the name of the other, with the sequence number that is expected next. It
// needs a firewall that does not translate addresses (Firewalled). An end that has heard
// nothing from the other yet is sent none: it would not obey.
type ResetBothEnds struct{}

// String implements harness.Fault.
func (f ResetBothEnds) String() string { return "the firewall sends RST to both ends" }

// Apply implements harness.Fault.
func (f ResetBothEnds) Apply(lab *harness.Lab) error {
	resets, err := f.packets(lab)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range resets {
		errs = append(errs, lab.Firewall().Forge(r))
	}
	return errors.Join(errs...)
}

// Commands implements harness.Fault.
func (f ResetBothEnds) Commands(lab *harness.Lab) []string {
	resets, err := f.packets(lab)
	if err != nil {
		return []string{"# " + err.Error()}
	}
	commands := []string{"# on the firewall"}
	for _, r := range resets {
		commands = append(commands, nping(r))
	}
	return commands
}

// packets returns the RSTs, two for each connection that is not over.
func (f ResetBothEnds) packets(lab *harness.Lab) (resets []firewall.Reset, err error) {
	if err := needsFirewall(lab); err != nil {
		return nil, err
	}
	if lab.First(harness.NAT) != nil {
		return nil, fmt.Errorf("the topology %v translates addresses: use Firewalled", lab.Topology())
	}
	for _, host := range []*harness.Host{lab.Client, lab.Server} {
		resets = append(resets, resetsFor(host.Capture().Packets())...)
	}
	return resets, nil
}

// resetsFor returns an RST for each connection of a host, of its packets.
func resetsFor(packets []capture.Packet) (resets []firewall.Reset) {
	type flow struct{ self, other netip.AddrPort }
	at := map[flow]int{}
	over := map[flow]bool{}
	for _, p := range packets {
		if !p.TCP {
			continue
		}
		of := flow{p.Src, p.Dst}
		if !p.Out {
			of = flow{p.Dst, p.Src}
		}
		if p.SYN && !p.ACK {
			delete(at, of) // another connection with the same ports
			delete(over, of)
		}
		if over[of] = over[of] || p.RST; p.Out || p.RST {
			continue
		}
		next := p.Seq + uint32(p.Length)
		if p.SYN || p.FIN {
			next++
		}
		i, known := at[of]
		if !known {
			i = len(resets)
			at[of], resets = i, append(resets, firewall.Reset{From: of.other, To: of.self, Seq: next})
		}
		if int32(next-resets[i].Seq) > 0 {
			resets[i].Seq = next
		}
	}
	var alive []firewall.Reset
	for _, r := range resets {
		if of := (flow{r.To, r.From}); !over[of] && resets[at[of]] == r {
			alive = append(alive, r)
		}
	}
	return alive
}
