package qemu

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ulikunitz/xz"
)

// needed are the modules that labs use. Those that the kernel has built in are left out.
var needed = []string{
	// Links, sockets, and their diagnostics.
	"veth", "af_packet", "inet_diag", "tcp_diag", "sctp", "sch_netem",
	// Connection tracking.
	"nf_conntrack", "nf_conntrack_netlink",
	// iptables on nf_tables, with the matches and targets of the rules.
	"nf_tables", "nft_compat", "nft_chain_nat", "nf_nat", "x_tables",
	"xt_conntrack", "xt_tcpudp", "xt_nat", "xt_MASQUERADE", "xt_HL", "xt_sctp", "ipt_REJECT", "ip6t_REJECT",
	// A root file system for each program.
	"overlay",
	// The matches icmp and icmp6 (net/ipv4/netfilter/ip_tables.c, builtin_mt).
	"ip_tables", "ip6_tables",
}

// neededLate are the modules of the port to which the report is written.
var neededLate = []string{"virtio_pci", "virtio_console"}

// parametersOf has the parameters of modules that are not the kernel's defaults. Connection
// tracking walks its whole table regularly and whenever its entries are listed: by default
// it has hundreds of thousands of buckets, and a lab has few flows.
var parametersOf = map[string]string{"nf_conntrack": "hashsize=1024"}

// module is a kernel module.
type module struct {
	name    string
	content []byte // uncompressed
}

// load reads modules and the modules that they need, without those that the kernel has
// built in. Each module comes after those that it needs.
func (k Kernel) load(names []string) ([]module, error) {
	files, err := k.files()
	if err != nil {
		return nil, err
	}
	builtin, err := k.builtin()
	if err != nil {
		return nil, err
	}
	var loaded []module
	var load func(name string) error
	load = func(name string) error {
		if builtin[name] || slices.ContainsFunc(loaded, func(m module) bool { return m.name == name }) {
			return nil
		}
		file, ok := files[name]
		if !ok {
			return fmt.Errorf("the kernel %s has no module %s", k.Release(), name)
		}
		content, err := readModule(file)
		if err != nil {
			return fmt.Errorf("reading the kernel module %s: %w", file, err)
		}
		needs, err := dependencies(content)
		if err != nil {
			return fmt.Errorf("reading what %s needs: %w", file, err)
		}
		for _, other := range needs {
			if err := load(other); err != nil {
				return fmt.Errorf("%w, which %s needs", err, name)
			}
		}
		loaded = append(loaded, module{name, content})
		return nil
	}
	for _, name := range names {
		if err := load(name); err != nil {
			return nil, err
		}
	}
	return loaded, nil
}

// moduleName returns the name of a module, from the name of its file: hyphens become
// underscores.
func moduleName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

func (k Kernel) files() (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(filepath.Join(k.Modules, "kernel"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.Contains(filepath.Base(path), ".ko") {
			files[moduleName(path)] = path
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the modules of the kernel %s: %w", k.Release(), err)
	}
	return files, nil
}

func (k Kernel) builtin() (map[string]bool, error) {
	list, err := os.ReadFile(filepath.Join(k.Modules, "modules.builtin"))
	if err != nil {
		return nil, fmt.Errorf("reading what the kernel %s has built in: %w", k.Release(), err)
	}
	builtin := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		builtin[moduleName(strings.TrimSpace(line))] = true
	}
	return builtin, nil
}

func readModule(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil || filepath.Ext(path) == ".ko" {
		return content, err
	}
	if filepath.Ext(path) != ".xz" {
		return nil, fmt.Errorf("it is compressed with something other than xz")
	}
	r, err := xz.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// dependencies returns the modules that a module needs, which modpost has written into it
// (scripts/mod/modpost.c, add_depends). The package does not have the list of depmod.
func dependencies(content []byte) ([]string, error) {
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("it has no section .modinfo")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for entry := range strings.SplitSeq(string(info), "\x00") {
		if list, ok := strings.CutPrefix(entry, "depends="); ok && list != "" {
			var names []string
			for name := range strings.SplitSeq(list, ",") {
				names = append(names, moduleName(name))
			}
			return names, nil
		}
	}
	return nil, nil
}
