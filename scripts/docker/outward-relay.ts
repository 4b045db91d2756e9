import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import { OutputSplitter } from "./output-splitter.ts";

/**
 * Perl script that listens on a port of a container's loopback and passes each connection on in frames: number of the
 * connection, length, data. An empty frame ends a connection. The image has Perl, because Debian's PostgreSQL depends
 * on it.
 */
const script = `
$| = 1; binmode STDIN; binmode STDOUT;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 64) or exit 1;
my $select = IO::Select->new(\\*STDIN, $listener);
my ($next, $input, %socket, %number) = (1, '');
sub put { my ($to, $data) = @_;
  for (my $sent = 0; $sent < length $data;) {
    my $written = syswrite($to, $data, length($data) - $sent, $sent);
    return 0 unless defined $written;
    $sent += $written;
  } return 1 }
sub drop { my ($each) = @_; my $id = delete $number{$each} or return; delete $socket{$id}; $select->remove($each); close $each; return $id }
put(\\*STDOUT, pack('NN', 0, 0)) or exit 1;
while (1) {
  for my $from ($select->can_read) {
    if ($from == $listener) {
      my $client = $listener->accept or next;
      $socket{$next} = $client; $number{$client} = $next++; $select->add($client);
    } elsif (exists $number{$from}) {
      my $count = sysread($from, my $data, 65536);
      my $id = $count ? $number{$from} : drop($from);
      put(\\*STDOUT, pack('NN', $id, $count || 0) . ($count ? $data : '')) or exit 0;
    } elsif ($from == \\*STDIN) {
      exit 0 unless sysread(STDIN, $input, 65536, length $input);
      while (length $input >= 8) {
        my ($id, $size) = unpack('NN', $input);
        last if length $input < 8 + $size;
        my $data = substr($input, 8, $size); $input = substr($input, 8 + $size);
        my $to = $socket{$id} or next;
        drop($to) unless $size && put($to, $data);
      }
    }
  }
}`;

/** Address of a server, as this process reaches it. */
export interface RelayTarget {
  /** Host name, address, or folder of a Unix socket. */
  host: string;
  port: number;
}

/** A relay that runs until it is closed. */
export interface OutwardRelay {
  close(): void;
}

/**
 * Connects programs in a container to a server that this process can reach, through the Docker engine's connection. So
 * the container needs no network, and the engine can be on another machine.
 *
 * @param port port on the container's loopback
 * @throws Error if the relay does not start
 */
export async function relayOutward(
  docker: Docker,
  container: string,
  port: number,
  { host, port: serverPort }: RelayTarget,
): Promise<OutwardRelay> {
  const exec = await docker.getContainer(container).exec({
    Cmd: ["perl", "-MIO::Socket::INET", "-MIO::Select", "-e", script, String(port)],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = (await exec.start({ hijack: true, stdin: true })) as Duplex;
  const output = new OutputSplitter();
  const sockets = new Map<number, Socket>();
  const close = () => {
    for (const socket of sockets.values()) socket.destroy();
    stream.destroy();
  };
  const send = (id: number, data: Buffer): boolean => {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(id, 0);
    header.writeUInt32BE(data.length, 4);
    stream.write(header);
    return data.length === 0 || stream.write(data);
  };
  const open = (id: number): Socket => {
    const socket = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${serverPort}`) : connect(serverPort, host);
    socket.on("data", (data: Buffer) => {
      if (send(id, data)) return;
      socket.pause();
      stream.once("drain", () => socket.resume());
    });
    // The program in the container sees a closed connection, and reports it.
    socket.on("error", () => {});
    socket.once("close", () => {
      sockets.delete(id);
      if (!stream.destroyed) send(id, Buffer.alloc(0));
    });
    sockets.set(id, socket);
    return socket;
  };
  return new Promise<OutwardRelay>((resolve, reject) => {
    let rest: Buffer = Buffer.alloc(0);
    const ended = new Set<number>();
    output.on("data", (chunk: Buffer) => {
      let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (data.length >= 8 && data.length >= 8 + data.readUInt32BE(4)) {
        const [id, end] = [data.readUInt32BE(0), 8 + data.readUInt32BE(4)];
        const content = data.subarray(8, end);
        data = data.subarray(end);
        if (id === 0) resolve({ close });
        else if (content.length === 0) {
          ended.add(id);
          sockets.get(id)?.end();
        } else if (!ended.has(id)) {
          const socket = sockets.get(id) ?? open(id);
          if (!socket.write(content) && !output.isPaused()) {
            output.pause();
            const resume = () => {
              socket.off("drain", resume).off("close", resume);
              output.resume();
            };
            socket.once("drain", resume).once("close", resume);
          }
        }
      }
      rest = data;
    });
    const failed = () => {
      close();
      reject(new Error(`the relay in the container did not start: ${output.errors.trim()}`));
    };
    stream.once("error", failed).once("close", failed);
    output.once("end", failed);
    stream.pipe(output);
  });
}
