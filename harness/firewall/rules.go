package firewall

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/halfopen-lab/halfopen/harness/netns"
)

// Rule is an iptables rule. IPv4 and IPv6 are what follows -t TABLE on the command line of
// iptables(8) and ip6tables(8): "-A FORWARD -p tcp -j DROP". A family whose text is empty
// does not get the rule.
type Rule struct {
	Table      string // filter, nat, mangle or raw
	IPv4, IPv6 string
}

// Filter returns a rule of the filter table that is the same for both families.
func Filter(spec string) Rule { return Rule{Table: "filter", IPv4: spec, IPv6: spec} }

// Owner is what sets rules, such as a fault or a policy. Owners that are equal (==) are the
// same owner. Error messages name it by its String.
type Owner fmt.Stringer

// Named is an Owner that has a name and nothing else.
type Named string

// String returns the name.
func (n Named) String() string { return string(n) }

// Rules is the packet filter of one host: a set of rules for each owner, in the order in
// which the owners first set them. The zero value is not usable; make one with NewRules.
// It is safe for concurrent use.
type Rules struct {
	ns   *netns.Namespace
	mu   sync.Mutex
	sets []ruleSet
	used []string // the tables that were written before, and are written again when they have no rules
}

type ruleSet struct {
	owner Owner
	rules []Rule
}

// NewRules returns an empty packet filter. It runs no command before the first Set.
func NewRules(ns *netns.Namespace) *Rules { return &Rules{ns: ns} }

// Set replaces the rules of an owner, or removes them if there are no rules. It applies the
// rules of all owners by one iptables-restore and one ip6tables-restore; the kernel applies
// each table at once. After an error, the rules are what they were before.
func (r *Rules) Set(owner Owner, rules ...Rule) error {
	if !reflect.TypeOf(owner).Comparable() {
		return fmt.Errorf("setting the rules of %v on %s: a %T cannot be compared, and so its rules could not be found again: make it without slices, maps and functions", owner, r.ns.Name(), owner)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rules = slices.Clone(rules)
	sets, used := slices.Clone(r.sets), slices.Clone(r.used)
	at := slices.IndexFunc(r.sets, func(s ruleSet) bool { return s.owner == owner })
	switch {
	case at >= 0 && len(rules) > 0:
		r.sets[at].rules = rules
	case at >= 0:
		r.sets = slices.Delete(r.sets, at, at+1)
	case len(rules) > 0:
		r.sets = append(r.sets, ruleSet{owner, rules})
		// The policy comes last: it accepts what no fault drops.
		slices.SortStableFunc(r.sets, func(a, b ruleSet) int { return rank(a) - rank(b) })
	}
	for _, rule := range rules {
		if !slices.Contains(r.used, rule.Table) {
			r.used = append(r.used, rule.Table)
		}
	}
	if err := r.apply(); err != nil {
		err = fmt.Errorf("setting the rules of %q on %s: %w", owner, r.ns.Name(), err)
		r.sets = sets
		// Empty the tables that this call was the first to write, then forget them.
		undo := r.apply()
		if undo != nil { // one of them does not exist, and cannot be emptied
			r.used = used
			undo = r.apply()
		}
		r.used = used
		return errors.Join(err, undo)
	}
	return nil
}

func rank(s ruleSet) int {
	if s.owner == policyOwner {
		return 1
	}
	return 0
}

func (r *Rules) apply() error {
	results := make(chan error, 2)
	for _, family := range []struct {
		command string
		spec    func(Rule) string
	}{
		{"iptables-restore", func(r Rule) string { return r.IPv4 }},
		{"ip6tables-restore", func(r Rule) string { return r.IPv6 }},
	} {
		go func() { results <- r.restore(family.command, r.render(family.spec)) }()
	}
	return errors.Join(<-results, <-results)
}

func (r *Rules) render(spec func(Rule) string) string {
	var b strings.Builder
	for _, table := range r.used {
		fmt.Fprintf(&b, "*%s\n", table)
		for _, set := range r.sets {
			for _, rule := range set.rules {
				if rule.Table == table && spec(rule) != "" {
					b.WriteString(spec(rule) + "\n")
				}
			}
		}
		b.WriteString("COMMIT\n")
	}
	return b.String()
}

func (r *Rules) restore(command, input string) error {
	path, err := Tool(command)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, "--wait")
	cmd.Env = toolEnvironment()
	cmd.Stdin = strings.NewReader(input)
	if _, err := r.ns.Output(cmd); err != nil {
		return fmt.Errorf("%s: %w; it was given:\n%s", command, explainExit(err), input)
	}
	return nil
}

// Save returns what iptables-save and ip6tables-save print, with packet counters.
func (r *Rules) Save() (string, error) {
	var b strings.Builder
	for _, command := range []string{"iptables-save", "ip6tables-save"} {
		path, err := Tool(command)
		if err != nil {
			return "", err
		}
		cmd := exec.Command(path, "-c")
		cmd.Env = toolEnvironment()
		out, err := r.ns.Output(cmd)
		if err != nil {
			return "", fmt.Errorf("saving the rules of %s: %s: %w", r.ns.Name(), command, explainExit(err))
		}
		b.Write(out)
	}
	return b.String(), nil
}

// Commands returns the shell commands that add rules by hand on a real machine.
func Commands(rules ...Rule) []string {
	var commands []string
	for _, rule := range rules {
		if rule.IPv4 != "" {
			commands = append(commands, fmt.Sprintf("iptables -t %s %s", rule.Table, rule.IPv4))
		}
		if rule.IPv6 != "" {
			commands = append(commands, fmt.Sprintf("ip6tables -t %s %s", rule.Table, rule.IPv6))
		}
	}
	return commands
}

// Tool returns the path of a command in PATH, or in the directories of system
// administration, which the PATH of an ordinary user often lacks.
func Tool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: install the package iptables", name)
}

// toolEnvironment returns the environment for iptables. The legacy iptables locks
// /run/xtables.lock unless another file is named, and an ordinary user may not write /run.
func toolEnvironment() []string {
	return append(os.Environ(), "XTABLES_LOCKFILE="+filepath.Join(os.TempDir(), fmt.Sprintf("halfopen-xtables-%d.lock", os.Getuid())))
}

func explainExit(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
