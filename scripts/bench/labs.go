// Package bench prints what the lab costs, beside what people use instead, measured in the
// same run, and what virtual time costs.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	flag "github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/scripts/suites"
)

// Labs is the command bench-labs. It prints what a lab on the running kernel costs, beside
// the same hosts and cables made by a script. The process runs again in namespaces of its
// own, and Labs does not return.
func Labs(_ context.Context, arguments []string) (well bool, err error) {
	if err := suites.Parse(flag.NewFlagSet("bench-labs", flag.ContinueOnError), arguments); err != nil {
		return false, err
	}
	harness.Main(func() int {
		if err := labs(); err != nil {
			fmt.Fprintf(os.Stderr, "bench-labs: %v\n", err)
			return 2
		}
		return 0
	})
	return true, nil
}

// rounds is how often each thing is measured, the two of a pair in turns.
const rounds = 25

// crowd is how many labs are made at once.
const crowd = 64

func labs() error {
	one := repeated("a lab of three namespaces, made and gone", rounds, lab)
	script, err := measureScript()
	if err != nil {
		return err
	}
	many := repeated(fmt.Sprintf("%d labs at once", crowd), 5, func() error {
		var group sync.WaitGroup
		errs := make([]error, crowd)
		for i := range crowd {
			group.Go(func() { errs[i] = lab() })
		}
		group.Wait()
		return errors.Join(errs...)
	})
	if err := errors.Join(one.err, script.err, many.err); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tmedian\tmin\tmax\tratio")
	one.print(table, "1")
	script.print(table, fmt.Sprintf("%.1f × a lab", ratio(script, one)))
	many.print(table, fmt.Sprintf("%.2f × %d labs one after another", ratio(many, one)/crowd, crowd))
	return table.Flush()
}

// lab makes a lab and gives it back: veth pairs, addresses of both families,
// routes, sysctls, capture, conntrack events.
func lab() error {
	l, err := harness.Open(harness.Config{Topology: harness.Firewalled})
	if err != nil {
		return err
	}
	return l.Close()
}

// script makes and removes the same hosts, cables, addresses and routes with ip(8).
const script = `
for host in client firewall server; do ip netns add $host; ip -n $host link set lo up; done
ip netns exec firewall sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
ip link add to-firewall netns client type veth peer name to-client netns firewall
ip link add to-server netns firewall type veth peer name to-firewall netns server
ip -n client link set to-firewall up
ip -n firewall link set to-client up
ip -n firewall link set to-server up
ip -n server link set to-firewall up
ip -n client addr add 192.0.2.10/24 dev to-firewall
ip -n client addr add 2001:db8:1::10/64 dev to-firewall nodad
ip -n firewall addr add 192.0.2.20/24 dev to-client
ip -n firewall addr add 2001:db8:1::20/64 dev to-client nodad
ip -n firewall addr add 198.51.100.10/24 dev to-server
ip -n firewall addr add 2001:db8:2::10/64 dev to-server nodad
ip -n server addr add 198.51.100.20/24 dev to-firewall
ip -n server addr add 2001:db8:2::20/64 dev to-firewall nodad
ip -n client route add 198.51.100.0/24 via 192.0.2.20
ip -n client route add 2001:db8:2::/64 via 2001:db8:1::20
ip -n server route add 192.0.2.0/24 via 198.51.100.10
ip -n server route add 2001:db8:1::/64 via 2001:db8:2::10
for host in client firewall server; do ip netns del $host; done
`

func measureScript() (measurement, error) {
	if _, err := exec.LookPath("ip"); err != nil {
		return measurement{}, errors.New("ip is not installed: run scripts/setup bench, or install the package iproute2")
	}
	// ip(8) keeps its namespaces in /run/netns; this process has mounts of its own.
	if err := exec.Command("mount", "-t", "tmpfs", "tmpfs", "/run").Run(); err != nil {
		return measurement{}, fmt.Errorf("mounting a private /run: %w", err)
	}
	return repeated("the same hosts and cables by an ip script", rounds, func() error {
		if out, err := exec.Command("sh", "-ec", script).CombinedOutput(); err != nil {
			return fmt.Errorf("the ip script: %w: %s", err, out)
		}
		return nil
	}), nil
}

// measurement is the times that something took.
type measurement struct {
	what  string
	times []time.Duration
	err   error
}

func repeated(what string, times int, do func() error) measurement {
	m := measurement{what: what}
	for range times {
		began := time.Now()
		if err := do(); err != nil {
			m.err = fmt.Errorf("%s: %w", what, err)
			return m
		}
		m.times = append(m.times, time.Since(began))
	}
	slices.Sort(m.times)
	return m
}

func (m measurement) median() time.Duration { return m.times[len(m.times)/2] }

func (m measurement) print(table *tabwriter.Writer, ratio string) {
	milliseconds := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", m.what, milliseconds(m.median()), milliseconds(m.times[0]), milliseconds(m.times[len(m.times)-1]), ratio)
}

func ratio(a, b measurement) float64 { return float64(a.median()) / float64(b.median()) }
