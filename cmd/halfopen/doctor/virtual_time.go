package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/qemu"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

// What is tried for virtual time.
const (
	emulator = "QEMU"
	kernel   = "guest kernel"
	memory   = "memory"
	cores    = "cores"
)

// neededByGuests is what no guest does without.
var neededByGuests = []string{emulator, kernel}

// kernelPackage is the kernel of guests unless told otherwise (scripts/run).
const kernelPackage = qemu.DefaultKernel

func virtualTime(ctx context.Context) []Finding {
	usable, err := virtual.Cores()
	return []Finding{tryEmulator(ctx), findKernel(), measureMemory(min(max(1, len(usable)), shard.Count)), countCores(usable, err)}
}

func tryEmulator(ctx context.Context) Finding {
	version, err := qemu.Emulator(ctx)
	return judge(emulator, err, "guests with virtual time can be started: "+version, "no virtual time")
}

// findKernel looks into the cache, as package debian has filled it. What apt can fetch is
// as good as here.
func findKernel() Finding {
	directory, err := cached(kernelPackage)
	if err == nil {
		var k qemu.Kernel
		if k, err = qemu.FindKernel(directory); err == nil {
			return Finding{What: kernel, Here: true, Means: k.Release() + " is in the cache"}
		}
	}
	if !errors.Is(err, os.ErrNotExist) {
		return Finding{What: kernel, Means: "no virtual time", Remedy: fmt.Sprintf("%v: remove %s and run it again", err, directory)}
	}
	fromDebian := "run any audit on a Debian, and copy " + directory + " from there"
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return Finding{What: kernel, Means: "no virtual time: it is not in the cache, and there is no " + program + " to fetch it", Remedy: fromDebian}
		}
	}
	release, err := os.ReadFile("/etc/os-release") // os-release(5)
	if err == nil && !isDebian(string(release)) {
		return Finding{What: kernel, Means: "no virtual time: it is not in the cache, and this system's archive is not Debian's", Remedy: fromDebian}
	}
	return Finding{What: kernel, Here: true, Means: "not in the cache yet: the first run fetches it with apt (not tried: it takes the network)"}
}

// isDebian says whether a system is a Debian, and no other with apt.
func isDebian(release string) bool {
	for line := range strings.Lines(release) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "ID="); ok {
			return strings.Trim(id, `"'`) == "debian"
		}
	}
	return false
}

// cached is the directory that package debian unpacks a package to. The error is
// os.ErrNotExist where it has not.
func cached(name string) (string, error) {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	directory := filepath.Join(cache, "halfopen", "debian", name)
	_, err := os.Stat(directory)
	return directory, err
}

func measureMemory(guests int) Finding {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return Finding{What: memory, Means: "it could not be measured", Remedy: err.Error()}
	}
	return judgeMemory(string(content), guests)
}

// judgeMemory reads /proc/meminfo (proc_meminfo(5)), for so many guests at once.
func judgeMemory(meminfo string, guests int) Finding {
	available := 0 // MiB
	for line := range strings.Lines(meminfo) {
		if n, err := fmt.Sscanf(line, "MemAvailable: %d kB", &available); n == 1 && err == nil {
			available /= 1024
			break
		}
	}
	f := Finding{What: memory, Here: available >= guests*shard.Memory, Means: fmt.Sprintf("%d MiB are available; each guest of a run is given %d, and %d run at once", available, shard.Memory, guests)}
	if !f.Here {
		f.Remedy = fmt.Sprintf("free some, or let fewer run at once: taskset -c 0-%d make suite", max(1, available/shard.Memory)-1)
	}
	return f
}

// countCores says what the cores mean that this process may use.
func countCores(usable []int, err error) Finding {
	if err != nil {
		return Finding{What: cores, Means: "they could not be counted", Remedy: err.Error()}
	}
	return Finding{What: cores, Here: true, Means: fmt.Sprintf("%d: so many of a run's %d guests work side by side", len(usable), shard.Count)}
}
