package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// What is tried on the running kernel.
const (
	namespaces = "namespaces"
	links      = "links"
	packets    = "packet capture"
	iptables   = "iptables"
	tracking   = "connection tracking"
	sctp       = "SCTP"
	netem      = "netem"
)

// neededByLabs is what no lab does without.
var neededByLabs = []string{namespaces, links, packets, iptables, tracking}

// runningKernel runs the command of the probe and returns its findings.
func runningKernel(probe *exec.Cmd) []Finding {
	var complaint bytes.Buffer
	probe.Stderr = &complaint
	out, err := probe.Output()
	var findings []Finding
	if err == nil {
		err = json.Unmarshal(out, &findings)
	}
	if err == nil {
		return findings
	}
	why := strings.TrimPrefix(strings.TrimSpace(complaint.String()), "halfopen: ")
	if why == "" {
		why = err.Error()
	}
	findings = []Finding{{What: namespaces, Means: "no lab can be made on the running kernel", Remedy: why + restrictions("/proc/sys")}}
	for _, what := range []string{links, packets, iptables, tracking, sctp, netem} {
		findings = append(findings, Finding{What: what, Means: "not tried: it takes a namespace"})
	}
	return findings
}

// probe is the program that tries, in namespaces of its own, what the running kernel can
// do. It writes the findings to standard output as JSON. If it cannot have such namespaces,
// it says so on standard error.
const probe reexec.Name = "probe"

func init() {
	reexec.Register(probe, func([]string) error {
		private.Main(func() int {
			if err := json.NewEncoder(os.Stdout).Encode(tryRunningKernel()); err != nil {
				fmt.Fprintf(os.Stderr, "halfopen: %v\n", err)
				return 1
			}
			return 0
		})
		return nil // private.Main does not return
	})
}

func tryRunningKernel() []Finding {
	who := "in a user namespace, without rights on the machine"
	if inTheFirstUserNamespace() {
		who = "as root"
	}
	findings := []Finding{judge(namespaces, tryNamespaces(), "labs are made of them, "+who, "no lab can be made on the running kernel")}
	return append(findings,
		judge(links, tryLinks(), "hosts can be joined", "hosts cannot be joined"),
		judge(packets, tryCapture(), "what passes is seen", "what passes is not seen"),
		judge(iptables, tryRules(firewall.Filter("-A FORWARD -j ACCEPT")), "rules can be set: "+iptablesVersion(), "firewalls cannot be played"),
		judge(tracking, tryTracking(), "idle timeouts of firewalls can be played", "idle timeouts of firewalls cannot be played"),
		judge(sctp, require.SCTP(), "SCTP runs on the running kernel too", "SCTP runs in virtual time only"),
		judge(netem, require.Netem(), "bad links run on the running kernel too", "bad links run in virtual time only"),
	)
}

// judge makes a finding of an attempt. Whatever an error says is put on one line.
func judge(what string, err error, here, missing string) Finding {
	if err == nil {
		return Finding{What: what, Here: true, Means: here}
	}
	f := Finding{What: what, Means: missing, Remedy: strings.Join(strings.Fields(err.Error()), " ")}
	if m, ok := errors.AsType[*require.Missing](err); ok {
		f.Means, f.Remedy = m.What+", so "+missing, m.Remedy
	}
	return f
}

// inTheFirstUserNamespace says whether root is the machine's own, for whom all user ids
// are mapped to themselves (user_namespaces(7)).
func inTheFirstUserNamespace() bool {
	content, _ := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(content))
	return len(fields) == 3 && fields[0] == "0" && fields[1] == "0" && fields[2] == "4294967295"
}

// inside does something in a namespace that is new.
func inside(do func(*netns.Namespace) error) error {
	ns, err := netns.New("doctor")
	if err != nil {
		return err
	}
	return errors.Join(do(ns), ns.Close())
}

func tryNamespaces() error { return inside(func(*netns.Namespace) error { return nil }) }

func tryLinks() error {
	return inside(func(one *netns.Namespace) error {
		return inside(func(other *netns.Namespace) error {
			a, err := link.Open(one)
			if err != nil {
				return err
			}
			defer a.Close()
			b, err := link.Open(other)
			if err != nil {
				return err
			}
			defer b.Close()
			return link.Join(link.End{Links: a, Name: "one"}, link.End{Links: b, Name: "other"})
		})
	})
}

func tryCapture() error {
	return inside(func(ns *netns.Namespace) error {
		c, err := capture.Start(ns, "doctor")
		if err == nil {
			c.Close()
		}
		return err
	})
}

func tryRules(rules ...firewall.Rule) error {
	return inside(func(ns *netns.Namespace) error {
		return firewall.NewRules(ns).Set(firewall.Named("the doctor"), rules...)
	})
}

func tryTracking() error {
	return inside(func(ns *netns.Namespace) error {
		c, err := capture.Start(ns, "doctor")
		if err != nil {
			return err
		}
		defer c.Close()
		f, err := firewall.Open(ns, c, timeline.New())
		if err != nil {
			return err
		}
		return errors.Join(f.IdleTimeout(time.Minute, firewall.ResetSender), f.Close())
	})
}

// iptablesVersion is "iptables v1.8.9 (nf_tables)"; what fails has been told by then.
func iptablesVersion() string {
	path, err := firewall.Tool("iptables")
	if err != nil {
		return ""
	}
	out, _ := exec.Command(path, "--version").Output()
	return strings.TrimSpace(string(out))
}
