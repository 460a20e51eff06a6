package capture_test

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness/capture"
)

// A match can be any predicate. With a lab: lab.Server.Received(capture.All(capture.Data, large)).
func ExampleWhere() {
	large := capture.Where("large", func(p capture.Packet) bool { return p.Length > 1000 })

	fmt.Println(capture.All(large, capture.Data))
	fmt.Println(large.Matches(capture.Packet{TCP: true, Length: 1448}))
	fmt.Println(large.Matches(capture.Packet{TCP: true, Length: 1}))
	// Output:
	// large data
	// true
	// false
}
