package spec

import (
	"os"
	"time"
	_ "unsafe" // go:linkname

	"github.com/halfopen-lab/halfopen/harness/require"
)

// Ginkgo's processes ask the first one twice a second whether the run was aborted,
// and one that has no specs left asks twenty times a second whether the others have
// ended. That is nothing in real time; in virtual time, where an idle hour takes a
// second, it would be most of what the processor does. The guest's run is aborted by
// a signal, which comes another way.
//
//go:linkname abortPollingInterval github.com/onsi/ginkgo/v2/internal/interrupt_handler.ABORT_POLLING_INTERVAL
var abortPollingInterval time.Duration

//go:linkname endPollingInterval github.com/onsi/ginkgo/v2/internal/parallel_support.POLLING_INTERVAL
var endPollingInterval time.Duration

func init() {
	if os.Getenv(require.Virtual) != "" {
		abortPollingInterval = 24 * time.Hour
		endPollingInterval = time.Hour
	}
}
