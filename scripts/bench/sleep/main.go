// Command sleep sleeps for two hours. A guest that runs it measures what booting, idle
// hours and the end of a guest cost.
package main

import "time"

func main() { time.Sleep(2 * time.Hour) }
