// kubebox is etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl in one binary: one link instead
// of five, and a control plane that is one process.
//
//	kubebox up --dir D [--ip 127.0.0.1]   the whole control plane; D/ready appears when it is up
//	kubebox kubectl ARGUMENTS...          kubectl
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/apiserver/pkg/util/compatibility"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/component-base/cli"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kcmoptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	name := os.Args[1]
	os.Args = os.Args[1:]
	switch name {
	case "kubectl":
		logs.GlogSetter(kubectlcmd.GetLogVerbosity(os.Args)) //nolint:errcheck
		if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	case "up":
		up()
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: kubebox up|kubectl ...")
	os.Exit(2)
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubebox:", err)
		os.Exit(1)
	}
}

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(v string) error {
	*l = append(*l, v)
	return nil
}

func parse(fss *cliflag.NamedFlagSets, args []string) {
	fs := pflag.NewFlagSet("x", pflag.ContinueOnError)
	fs.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	for _, f := range fss.FlagSets {
		fs.AddFlagSet(f)
	}
	must(fs.Parse(args))
}

func up() {
	t0 := time.Now()
	fs := flag.NewFlagSet("up", flag.ExitOnError)
	dir := fs.String("dir", "", "state directory")
	ip := fs.String("ip", "127.0.0.1", "listen address")
	nodes := fs.String("nodes", "", "kubelets to make credentials for")
	extra := fs.String("apiserver-flags", "", "more kube-apiserver flags, separated by blanks")
	var pre list
	fs.Var(&pre, "pre", "manifest or directory of CRDs to apply before kube-controller-manager starts: its garbage collector finds new CRDs only every 30 s (repeatable)")
	kcmExtra := fs.String("kcm-flags", "", "more kube-controller-manager flags")
	fs.Parse(os.Args[1:])
	d, err := filepath.Abs(*dir) // the kubeconfigs name files in it
	must(err)
	// Held from here on: a port that is only looked up and closed again may be taken by another process before it is used.
	listener, err := net.Listen("tcp", net.JoinHostPort(*ip, "0"))
	must(err)
	port := listener.Addr().(*net.TCPAddr).Port
	must(makePKI(d, []string{*ip}, port, split(*nodes)))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	// etcd
	ec := embed.NewConfig()
	ec.Dir = filepath.Join(d, "etcd")
	cu := url.URL{Scheme: "unix", Path: filepath.Join(d, "etcd.sock")}
	pu := url.URL{Scheme: "unix", Path: filepath.Join(d, "peer.sock")}
	ec.ListenClientUrls, ec.AdvertiseClientUrls = []url.URL{cu}, []url.URL{cu}
	ec.ListenPeerUrls, ec.AdvertisePeerUrls = []url.URL{pu}, []url.URL{pu}
	ec.InitialCluster = ec.InitialClusterFromName(ec.Name)
	ec.LogLevel, ec.LogOutputs = "error", []string{filepath.Join(d, "etcd.log")}
	ec.UnsafeNoFsync = true
	ec.TickMs, ec.ElectionMs = 10, 50 // one member: do not wait a second for the first election
	e, err := embed.StartEtcd(ec)
	must(err)
	<-e.Server.ReadyNotify()
	fmt.Printf("etcd ready %dms\n", time.Since(t0).Milliseconds())

	errc := make(chan error, 3)
	// kube-apiserver
	os.Args[0] = "kube-apiserver"
	so := apiserveroptions.NewServerRunOptions()
	afs := so.Flags()
	parse(&afs, append(apiserverArgs(d, *ip, port, cu.String()), strings.Fields(*extra)...))
	so.SecureServing.Listener = listener
	must(compatibility.DefaultComponentGlobalsRegistry.Set())
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	co, err := so.Complete(ctx)
	must(err)
	if errs := co.Validate(); len(errs) > 0 {
		must(errs[0])
	}
	done := make(chan struct{})
	go func() { errc <- apiserver.Run(ctx, co); close(done) }()
	must(waitReady(d, port, *ip))
	fmt.Printf("kube-apiserver /readyz ok %dms\n", time.Since(t0).Milliseconds())

	if len(pre) > 0 {
		args := []string{"apply", "--server-side"}
		for _, path := range pre {
			args = append(args, "-f", path)
		}
		must(kubectl(ctx, d, args...))
		must(established(ctx, d))
		fmt.Printf("manifests applied %dms\n", time.Since(t0).Milliseconds())
	}

	// kube-scheduler; os.Args[0] becomes the User-Agent and so the default field manager of each component's clients
	os.Args[0] = "kube-scheduler"
	sch := scheduleroptions.NewOptions()
	sch.InformerName, err = cache.NewInformerName("kube-scheduler")
	must(err)
	parse(sch.Flags, schedulerArgs(d))
	cc, s, err := scheduler.Setup(ctx, sch)
	must(err)
	go func() { errc <- scheduler.Run(ctx, cc, s) }()

	// kube-controller-manager
	os.Args[0] = "kube-controller-manager"
	ko, err := kcmoptions.NewKubeControllerManagerOptions()
	must(err)
	kfs := ko.Flags(kcm.KnownControllers(), kcm.ControllersDisabledByDefault(), kcm.ControllerAliases())
	parse(&kfs, append(kcmArgs(d), strings.Fields(*kcmExtra)...))
	kc, err := ko.Config(ctx, kcm.KnownControllers(), kcm.ControllersDisabledByDefault(), kcm.ControllerAliases())
	must(err)
	go func() { errc <- kcm.Run(ctx, kc.Complete()) }()

	must(os.WriteFile(filepath.Join(d, "ready"), []byte(fmt.Sprint(port)), 0o644))
	fmt.Printf("READY %dms kubeconfig=%s\n", time.Since(t0).Milliseconds(), filepath.Join(d, "admin.kubeconfig"))
	select {
	case <-ctx.Done():
	case err := <-errc:
		if ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "kubebox: a component ended:", err)
			stop()
		}
	}
	t1 := time.Now()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
	}
	e.Close()
	fmt.Printf("stopped %dms\n", time.Since(t1).Milliseconds())
}

// established waits for all CRDs: again and again, since `kubectl wait` fails at once when one has no conditions yet.
func established(ctx context.Context, d string) error {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := kubectl(limited, d, "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
		if err == nil {
			return nil
		}
		select {
		case <-limited.Done():
			return fmt.Errorf("the CRDs are not established: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// kubectl runs in a process of its own: a command of this one would share its signal handler and global flags. Without
// a folder for its cache it makes one where it is started, if there is no HOME.
func kubectl(ctx context.Context, d string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	own := []string{"kubectl", "--kubeconfig", filepath.Join(d, "admin.kubeconfig"), "--cache-dir", filepath.Join(d, "kubectl-cache")}
	c := exec.CommandContext(ctx, self, append(own, args...)...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c.Run()
}
