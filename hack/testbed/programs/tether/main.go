// tether runs a command that must not outlive the process holding the other end of tether's standard input.
//
//	tether [flags] -- COMMAND ARGUMENTS...
//
// A pipe closes however its holder ends, even by SIGKILL, so nothing has to be told and nothing has to clean up
// by itself. When the pipe closes the whole process group of COMMAND is killed, then the shell command of --after
// is run and the directory of --remove is removed; so they are when COMMAND ends by itself.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
)

var (
	remove     = flag.String("remove", "", "directory to remove at the end")
	after      = flag.String("after", "", "shell command to run at the end")
	pidFile    = flag.String("pid-file", "", "file for the process id of COMMAND")
	namespaces = flag.Bool("namespaces", false, "run COMMAND as the first process of new pid, mount and network namespaces (Linux, root)")
	loose      = flag.Bool("loose", false, "do not watch standard input: end only with COMMAND or by a signal")
)

func main() {
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	status := run(flag.Args())
	if *after != "" {
		c := exec.Command("/bin/sh", "-c", *after)
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		complain("run "+*after, c.Run())
	}
	if *remove != "" {
		complain("remove "+*remove, os.RemoveAll(*remove))
	}
	os.Exit(status)
}

func run(args []string) int {
	// The parent-death signal is bound to the thread that forks, so that thread must last as long as the command.
	runtime.LockOSThread()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	c := exec.Command(args[0], args[1:]...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = attributes()
	if err := c.Start(); err != nil {
		complain("start "+args[0], err)
		return 127
	}
	group := -c.Process.Pid
	if *pidFile != "" {
		complain("write "+*pidFile, os.WriteFile(*pidFile, []byte(strconv.Itoa(c.Process.Pid)), 0o644))
	}
	cut := make(chan struct{})
	if !*loose {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			close(cut)
		}()
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		select {
		case s := <-signals:
			// The first process of a pid namespace does not get signals it has no handler for, except this one. Wait
			// then returns when the last process of the namespace is gone.
			if *namespaces {
				s = syscall.SIGKILL
			}
			syscall.Kill(group, s.(syscall.Signal))
		case <-cut:
			cut = nil
			syscall.Kill(group, syscall.SIGKILL)
		case err := <-ended:
			syscall.Kill(group, syscall.SIGKILL) // what the command left in its group
			return statusOf(err)
		}
	}
}

func statusOf(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if w, ok := exit.Sys().(syscall.WaitStatus); ok && w.Signaled() {
			return 128 + int(w.Signal())
		}
		return exit.ExitCode()
	}
	if err != nil {
		return 1
	}
	return 0
}

func complain(action string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "tether: cannot %s: %v\n", action, err)
	}
}
