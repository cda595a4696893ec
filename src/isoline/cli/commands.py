"""The commands and their options. What they do is in the files beside, imported when it is done."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperGroup

from isoline.cli import cluster_commands, envoy_commands
from isoline.cli.errors import CommandError
from isoline.cli.options import (
    Context,
    DryRun,
    Files,
    Kind,
    Kubeconfig,
    Namespace,
    Place,
    State,
    client_of,
    folder_of,
    known_kinds,
    known_names,
    opened,
)
from isoline.cli.output import Format, complain


class _Commands(TyperGroup):
    """Ends a command that went wrong with a sentence and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        finally:
            opened.close()


app = typer.Typer(
    name="isoline",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Put a self-hosted AI app on the internet: TLS, streaming, health, isolation, from one manifest.",
)


@app.command()
def up(
    directory: Annotated[Path | None, Argument(help="Directory, or file, of manifests to serve and to follow.")] = None,
    state: State = None,
    http_port: Annotated[
        int | None, Option(min=1, max=65535, help="Port for HTTP; else 80 where it can be bound, or 8080.")
    ] = None,
    https_port: Annotated[
        int | None, Option(min=1, max=65535, help="Port for HTTPS; else 443 where it can be bound, or 8443.")
    ] = None,
) -> None:
    """Run everything on this machine, and follow the directory until Ctrl-C."""
    from isoline.cli.up import up

    up(directory, folder_of(state), http_port, https_port)


@app.command()
def down(state: State = None) -> None:
    """Stop what `up` runs, and whatever a killed one left."""
    from isoline.cli.down import down

    down(folder_of(state))


@app.command()
def apply(filename: Files, state: State = None, dry_run: DryRun = False) -> None:
    """Create or change objects."""
    from isoline.cli.apply import apply

    apply(client_of(state), filename, dry_run=dry_run)


@app.command()
def delete(
    kind: Annotated[str | None, Argument(help="Kind, or KIND/NAME.", autocompletion=known_kinds)] = None,
    names: Annotated[list[str] | None, Argument(help="Names of objects.", autocompletion=known_names)] = None,
    filename: Annotated[list[Path] | None, Option("--filename", "-f", help="Delete what these manifests hold.")] = None,
    namespace: Namespace = "default",
    state: State = None,
    dry_run: DryRun = False,
) -> None:
    """Delete objects, and with them what they own."""
    from isoline.cli.apply import delete

    delete(client_of(state), filename or [], kind, names or [], namespace, dry_run=dry_run)


@app.command()
def get(
    kind: Annotated[
        str,
        Argument(help="Kind, several with commas, or KIND/NAME; the main ones if none.", autocompletion=known_kinds),
    ] = "",
    name: Annotated[str | None, Argument(help="Name of one object.", autocompletion=known_names)] = None,
    namespace: Annotated[
        str | None, Option("--namespace", "-n", help="Namespace to look in.", show_default="default")
    ] = None,
    all_namespaces: Annotated[bool, Option("--all-namespaces", "-A", help="Look in every namespace.")] = False,
    output: Annotated[Format | None, Option("--output", "-o", help="Another form than a table.")] = None,
    watch: Annotated[bool, Option("--watch", "-w", help="Go on and show changes.")] = False,
    show_secrets: Annotated[bool, Option(help="Show Secrets' values in JSON and YAML.")] = False,
    state: State = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """List objects, or show one."""
    from isoline.cli import get as command

    kind, name = command.split_target(kind, name)
    client = client_of(state, kubeconfig, context)
    place = None if all_namespaces or (not kind and namespace is None) else namespace or client.namespace
    show = command.watch if watch else command.get
    show(client, kind, name, namespace=place, form=output, secrets=show_secrets)


@app.command()
def describe(
    kind: Kind,
    name: Annotated[str | None, Argument(help="Name of the object.", autocompletion=known_names)] = None,
    namespace: Place = None,
    state: State = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Show all that is known of an object: conditions, routes, endpoints, certificates, events."""
    from isoline.cli.describe import describe
    from isoline.cli.errors import UsedWronglyError
    from isoline.cli.get import split_target

    kind, name = split_target(kind, name)
    if name is None:
        raise UsedWronglyError(f"say which {kind} to describe, by name")
    client = client_of(state, kubeconfig, context)
    describe(client, kind, name, namespace or client.namespace)


@app.command()
def logs(
    name: Annotated[str, Argument(help="App or Deployment.")],
    namespace: Place = None,
    follow: Annotated[bool, Option("--follow", "-f", help="Go on and show lines as they come.")] = False,
    since: Annotated[str | None, Option(help="Only lines newer than this: 10m, 1h30m, or a time.")] = None,
    tail: Annotated[int | None, Option(min=0, help="Only the last lines of each replica.")] = None,
    replica: Annotated[str | None, Option(help="Only this replica.")] = None,
    timestamps: Annotated[bool, Option(help="Show when each line was written.")] = False,
    state: State = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Show what an app's replicas print."""
    from isoline.cli.logs import logs

    client = client_of(state, kubeconfig, context)
    logs(
        client,
        name,
        namespace=namespace or client.namespace,
        follow=follow,
        since=since,
        tail=tail,
        replica=replica,
        timestamps=timestamps,
    )


@app.command()
def check(
    paths: Annotated[list[Path], Argument(help="Files or directories of manifests, or - for standard input.")],
    state: State = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Say everything that is wrong with manifests, beside what runs too where something does."""
    from isoline.cli.check import check

    check(client_of(state, kubeconfig, context), paths)


@app.command()
def diff(filename: Files, state: State = None, kubeconfig: Kubeconfig = None, context: Context = None) -> None:
    """Show what `apply` would change, down to routes."""
    from isoline.cli.diff import diff

    diff(client_of(state, kubeconfig, context), filename)


@app.command()
def doctor(state: State = None) -> None:
    """Look for what is wrong with this machine, and say what to do about it."""
    from isoline.cli.doctor import doctor

    doctor(folder_of(state))


@app.command()
def trust(
    remove: Annotated[bool, Option("--remove", help="Take the certificate authority out again.")] = False,
    state: State = None,
) -> None:
    """Have this machine trust the local certificate authority, and say how browsers do."""
    from isoline.cli.trust import trust

    trust(folder_of(state), remove=remove)


@app.command()
def crds(
    apply_them: Annotated[
        bool, Option("--apply", help="Create or update them in a cluster, by server-side apply.")
    ] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    in_cluster: Annotated[bool, Option("--in-cluster", help="Run as a pod of the cluster.")] = False,
) -> None:
    """Print the CustomResourceDefinitions of Isoline's own kinds, or put them into a cluster."""
    from isoline.cli import control_plane_flags as flags
    from isoline.cli import crds as command
    from isoline.cli.errors import UsedWronglyError

    if not apply_them and (kubeconfig is not None or context is not None or in_cluster):
        raise UsedWronglyError("say --apply, too, to put the definitions into the cluster; without it they are printed")
    if apply_them:
        command.apply_crds(flags.connection(kubeconfig, context=context, in_cluster=in_cluster))
    else:
        command.crds()


@app.command()
def version() -> None:
    """Print the version."""
    from isoline.cli.main import print_version

    print_version()


@app.command("rate-limits")
def rate_limits(
    path: Annotated[Path, Argument(help="Manifest with spec.rateLimitService of a GatewayConfig; watched.")],
    listen: Annotated[str, Option(help="Where Envoy asks: address:port, or unix:path.")] = "0.0.0.0:8081",
) -> None:
    """Run the rate-limit service alone, without TLS, for an ExtensionService to lead to."""
    from isoline.cli.rate_limit_service import run

    run(path, listen)


cluster_commands.register(app)
app.add_typer(envoy_commands.envoy)
