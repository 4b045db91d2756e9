import { createServer, type Server, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import type Docker from "dockerode";

/**
 * Perl script that copies between its standard input and output and a socket. The image has Perl, because Debian's
 * PostgreSQL depends on it.
 */
const relay = `
my $server = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
my $both = IO::Select->new(\\*STDIN, $server);
while (1) {
  for my $from ($both->can_read) {
    my $count = sysread($from, my $data, 65536);
    exit 0 unless $count;
    my $to = $from == $server ? \\*STDOUT : $server;
    for (my $sent = 0; $sent < $count;) {
      my $written = syswrite($to, $data, $count - $sent, $sent);
      exit 0 unless defined $written;
      $sent += $written;
    }
  }
}`;

/**
 * Listens on a local socket, and forwards each connection to a socket in a container through the engine's connection.
 *
 * @param user user of the container that connects to the socket there. Default: the container's
 */
export async function listenForContainer(
  docker: Docker,
  container: string,
  here: string,
  there: string,
  user?: string,
): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    lead(docker, container, socket, { there, user }).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(here, resolve);
  });
  return server;
}

async function lead(
  docker: Docker,
  container: string,
  socket: Socket,
  { there, user }: { there: string; user: string | undefined },
): Promise<void> {
  const exec = await docker.getContainer(container).exec({
    Cmd: ["perl", "-MIO::Socket::UNIX", "-MIO::Select", "-e", relay, there],
    ...(user === undefined ? {} : { User: user }),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: false,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const [output, errors] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, output, errors);
  const end = () => socket.end();
  stream.once("end", end).once("close", end).once("error", end);
  socket.once("close", () => stream.end());
  errors.resume();
  output.pipe(socket);
  socket.pipe(stream);
}
