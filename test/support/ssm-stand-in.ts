import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * `throttle` and `deny` respond with the service's errors. `silence` never responds. `half` sends
 * the headers and half of the body. `processing` keeps the connection busy without a response.
 * `garbage` is no JSON. `reset` closes the connection.
 */
type SsmFault =
  | 'throttle'
  | 'deny'
  | 'silence'
  | 'half'
  | 'processing'
  | 'garbage'
  | 'reset'
  | { status: number; type: string; message: string }
  | RawAnswer;

/** A raw response, optionally a byte at a time. */
interface RawAnswer {
  readonly status: number;
  readonly raw: string | Uint8Array;
  readonly location?: string;
  readonly isDripped?: boolean;
}

export interface SsmStandInOptions {
  /** Full name to value, in pages of the requested size. */
  parameters?: Readonly<Record<string, string>>;
  /** Pages to serve unchanged, instead; each may be empty. */
  pages?: readonly Readonly<Record<string, string>>[];
  /** The fault of the nth request (from 1), or undefined. */
  fault?: (attempt: number) => SsmFault | undefined;
  /** Returns the same NextToken every time. */
  isTokenStuck?: boolean;
}

interface SsmRequest {
  target: string | undefined;
  authorization: string | undefined;
  body: {
    Path?: string;
    Recursive?: boolean;
    WithDecryption?: boolean;
    MaxResults?: number;
    NextToken?: string;
  };
}

export interface SsmStandIn {
  url: string;
  requests: SsmRequest[];
  connectionCount: () => Promise<number>;
  close: () => Promise<void>;
}

/** Simulates GetParametersByPath of Parameter Store: AWS JSON 1.1 over HTTP on a free port. */
export async function startSsmStandIn(options: SsmStandInOptions = {}): Promise<SsmStandIn> {
  const requests: SsmRequest[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { 'x-amz-target': target, authorization } = request.headers;
      requests.push({ target: target?.toString(), authorization, body });
      const fault = options.fault?.(requests.length);
      if (fault === undefined) sendPage(response, body, options);
      else misbehave(response, fault, body, options);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  const connectionCount = () =>
    new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  return { url: `http://127.0.0.1:${port}`, requests, connectionCount, close };
}

async function readBody(request: IncomingMessage): Promise<SsmRequest['body']> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as SsmRequest['body']);
}

function sendPage(response: ServerResponse, body: SsmRequest['body'], options: SsmStandInOptions) {
  send(response, 200, pageOf(body, options));
}

function pageOf(body: SsmRequest['body'], options: SsmStandInOptions) {
  const pages = options.pages ?? splitPages(body, options.parameters ?? {});
  const index = body.NextToken === undefined ? 0 : Number(body.NextToken.replace('page-', ''));
  const hasNext = index + 1 < pages.length;
  const nextToken = options.isTokenStuck ? 'page-0' : hasNext ? `page-${index + 1}` : undefined;
  const parameters = Object.entries(pages[index] ?? {}).map(([name, value]) => {
    const isSecure = name.endsWith('PASSWORD');
    const shown = isSecure && body.WithDecryption !== true ? 'still encrypted' : value;
    return { Name: name, Type: isSecure ? 'SecureString' : 'String', Value: shown, Version: 1 };
  });
  return { Parameters: parameters, ...(nextToken === undefined ? {} : { NextToken: nextToken }) };
}

function splitPages(body: SsmRequest['body'], parameters: Readonly<Record<string, string>>) {
  const path = `${(body.Path ?? '').replace(/\/$/, '')}/`;
  const below = Object.entries(parameters).filter(
    ([name]) =>
      name.startsWith(path) && (body.Recursive === true || !name.slice(path.length).includes('/')),
  );
  const size = body.MaxResults ?? 10;
  const pages: Record<string, string>[] = [];
  for (let i = 0; i < below.length; i += size) {
    pages.push(Object.fromEntries(below.slice(i, i + size)));
  }
  return pages;
}

function misbehave(
  response: ServerResponse,
  fault: SsmFault,
  body: SsmRequest['body'],
  options: SsmStandInOptions,
) {
  if (typeof fault === 'object' && 'raw' in fault) {
    sendRaw(response, fault);
  } else if (typeof fault === 'object') {
    send(response, fault.status, { __type: fault.type, message: fault.message });
  } else if (fault === 'throttle') {
    send(response, 400, { __type: 'ThrottlingException', message: 'Rate exceeded' });
  } else if (fault === 'deny') {
    const message = `User: arn:aws:sts::123456789012:assumed-role/stats/task is not authorized to perform: ssm:GetParametersByPath on resource: arn:aws:ssm:us-east-1:123456789012:parameter${body.Path ?? ''}`;
    send(response, 400, { __type: 'AccessDeniedException', message });
  } else if (fault === 'reset') {
    response.socket?.resetAndDestroy();
  } else if (fault === 'processing') {
    const timer = setInterval(() => {
      response.writeProcessing();
    }, 50);
    response.on('close', () => {
      clearInterval(timer);
    });
  } else if (fault !== 'silence') {
    const text = JSON.stringify(pageOf(body, options));
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1' });
    if (fault === 'half') response.write(text.slice(0, text.length / 2));
    else response.end(`<${text}`);
  }
}

function send(response: ServerResponse, status: number, body: object) {
  response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}

function sendRaw(response: ServerResponse, { status, raw, location, isDripped }: RawAnswer) {
  const headers = { 'Content-Type': 'application/x-amz-json-1.1' };
  response.writeHead(status, location === undefined ? headers : { ...headers, location });
  if (isDripped !== true) {
    response.end(raw);
    return;
  }
  const bytes = Buffer.from(raw as string);
  let sent = 0;
  const drip = setInterval(() => response.write(bytes.subarray(sent, ++sent)), 20);
  response.on('close', () => {
    clearInterval(drip);
  });
}
