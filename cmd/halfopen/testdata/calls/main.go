// Calls is a client that sends a request on one connection and waits for the answer, again and
// again: "calls [-every 10s] [-timeout 20m] [-keepalive] [-once] ADDRESS". A request that
// fails ends it, and so does the first answer with -once.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	every := flag.Duration("every", 10*time.Second, "the time between an answer and the next request")
	timeout := flag.Duration("timeout", 0, "how long to wait for an answer; 0: for ever")
	keepalive := flag.Bool("keepalive", false, "probe after 5 s, three times, 5 s apart")
	once := flag.Bool("once", false, "end after the first answer")
	flag.Parse()
	dialer := net.Dialer{KeepAlive: -1}
	if *keepalive {
		dialer.KeepAliveConfig = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3}
	}
	c, err := dialer.Dial("tcp", flag.Arg(0))
	for ; err == nil; time.Sleep(*every) {
		if *timeout > 0 {
			_ = c.SetDeadline(time.Now().Add(*timeout))
		}
		if _, err = c.Write([]byte("request")); err == nil {
			_, err = c.Read(make([]byte, 100))
		}
		if err != nil || *once {
			break
		}
	}
	fmt.Println(err)
	os.Exit(1)
}
