package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual/qemu"
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

// kernelPackage is the kernel of guests, and guestMemory what each is given, in MiB,
// unless told otherwise (scripts/run).
const (
	kernelPackage = qemu.DefaultKernel
	guestMemory   = 2048
)

func virtualTime(ctx context.Context) []Finding {
	return []Finding{tryEmulator(ctx), findKernel(), measureMemory(), countCores()}
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

func measureMemory() Finding {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return Finding{What: memory, Means: "it could not be measured", Remedy: err.Error()}
	}
	return judgeMemory(string(content))
}

// judgeMemory reads /proc/meminfo (proc_meminfo(5)).
func judgeMemory(meminfo string) Finding {
	available := 0 // MiB
	for line := range strings.Lines(meminfo) {
		if n, err := fmt.Sscanf(line, "MemAvailable: %d kB", &available); n == 1 && err == nil {
			available /= 1024
			break
		}
	}
	f := Finding{What: memory, Here: available >= 2*guestMemory, Means: fmt.Sprintf("%d MiB are available; each of the two guests of a run is given %d", available, guestMemory)}
	if !f.Here {
		f.Remedy = fmt.Sprintf("free some, or give guests less: MEMORY=%d make suite", max(512, available/2))
	}
	return f
}

func countCores() Finding {
	n := runtime.NumCPU() // that this process may use
	var allowed unix.CPUSet
	if unix.SchedGetaffinity(0, &allowed) == nil {
		n = allowed.Count()
	}
	if n < 2 {
		return Finding{What: cores, Means: "one core: the two guests of a run take turns, which takes twice as long"}
	}
	return Finding{What: cores, Here: true, Means: fmt.Sprintf("%d cores: the two guests of a run work side by side", n)}
}
