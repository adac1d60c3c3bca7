// A bucket server for tests: a real HTTP server on this machine that speaks as much S3 as stages need (ListObjectsV2 in pages,
// HeadBucket, GetObject, PutObject), checks every signature (SigV4) and can misbehave: 503 first, bodies that never end.

import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const CREDENTIALS = { accessKeyId: 'AKIDOUBLE', secretAccessKey: 'double-secret' } as const

interface StoredObject {
  readonly body: Buffer
  readonly modifiedMs: number
}

export interface S3Double {
  readonly endpoint: string
  /** Requests that were answered properly, as `GET /bucket?list-type=2`. */
  readonly requests: string[]
  /** Requests that were refused: without a signature, or with a wrong one. */
  readonly refused: string[]
  /** 503 SlowDown is the answer to so many requests from now on. */
  slowDowns: number
  /** Lists are begun and never ended. */
  drips: boolean
  /** Lists do not encode keys, as some servers do not. */
  encodes: boolean
  openConnections(): number
  makeBucket(name: string): void
  put(bucket: string, key: string, body: string, modifiedMs?: number): void
  remove(bucket: string, key: string): void
  close(): Promise<void>
}

export async function startS3Double({ pageSize = 1_000 } = {}): Promise<S3Double> {
  const buckets = new Map<string, Map<string, StoredObject>>()
  const connections = new Set<object>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => answer(request, response, Buffer.concat(parts)))
  })
  server.on('connection', socket => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))

  const double: S3Double = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    refused: [],
    slowDowns: 0,
    drips: false,
    encodes: true,
    openConnections: () => connections.size,
    makeBucket: name => void buckets.set(name, new Map()),
    put: (bucket, key, body, modifiedMs = Date.now()) => {
      buckets.get(bucket)!.set(key, { body: Buffer.from(body), modifiedMs })
    },
    remove: (bucket, key) => void buckets.get(bucket)!.delete(key),
    close: () =>
      new Promise(closed => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
  return double

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const fault = findSignatureFault(request, body)
    if (fault !== undefined) {
      double.refused.push(`${request.method} ${request.url}: ${fault}`)
      return fail(response, 403, 'SignatureDoesNotMatch', fault)
    }
    if (double.slowDowns > 0) {
      double.slowDowns -= 1
      return fail(response, 503, 'SlowDown', 'Please reduce your request rate.')
    }
    double.requests.push(`${request.method} ${request.url}`)
    const url = new URL(request.url!, 'http://double')
    const [, bucketName = '', ...rest] = url.pathname.split('/')
    const key = decodeURIComponent(rest.join('/'))
    const bucket = buckets.get(bucketName)
    if (bucket === undefined)
      return fail(response, 404, 'NoSuchBucket', 'The specified bucket does not exist')
    if (request.method === 'HEAD' && key === '') return void response.end()
    if (request.method === 'PUT' && key !== '') {
      bucket.set(key, { body, modifiedMs: Date.now() })
      return void response.setHeader('etag', etagOf(body)).end()
    }
    if (request.method === 'GET' && key !== '') {
      const object = bucket.get(key)
      if (object === undefined) return fail(response, 404, 'NoSuchKey', 'The specified key does not exist.')
      return void response.setHeader('etag', etagOf(object.body)).end(object.body)
    }
    if (request.method === 'GET' && url.searchParams.get('list-type') === '2') {
      return list(response, bucketName, bucket, url.searchParams)
    }
    fail(response, 501, 'NotImplemented', `${request.method} ${request.url}`)
  }

  function list(
    response: ServerResponse,
    name: string,
    bucket: ReadonlyMap<string, StoredObject>,
    query: URLSearchParams,
  ): void {
    const prefix = query.get('prefix') ?? ''
    const token = query.get('continuation-token')
    const after = token === null ? '' : Buffer.from(token, 'base64url').toString()
    const keys = [...bucket.keys()].filter(key => key.startsWith(prefix) && key > after).sort()
    const page = keys.slice(0, pageSize)
    const isTruncated = keys.length > page.length
    const encoded = double.encodes && query.get('encoding-type') === 'url'
    const contents = page.map(key => {
      const { body, modifiedMs } = bucket.get(key)!
      return (
        `<Contents><Key>${encoded ? formEncode(key) : xmlText(key)}</Key><LastModified>${new Date(modifiedMs).toISOString()}</LastModified>` +
        `<ETag>${xmlText(etagOf(body))}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`
      )
    })
    const next = isTruncated ? Buffer.from(page.at(-1)!).toString('base64url') : undefined
    response.setHeader('content-type', 'application/xml')
    response.write(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${name}</Name>` +
        `<KeyCount>${page.length}</KeyCount><MaxKeys>${pageSize}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>` +
        (encoded ? '<EncodingType>url</EncodingType>' : '') +
        (next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`),
    )
    if (double.drips) return
    response.end(`${contents.join('')}</ListBucketResult>`)
  }
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/xml')
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${xmlText(message)}</Message></Error>`,
  )
}

function xmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

function formEncode(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+')
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`
}

/** SigV4 as the server computes it, from the request as it came. */
function findSignatureFault(request: IncomingMessage, body: Buffer): string | undefined {
  const { authorization = '' } = request.headers
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    )
  if (found === null) return 'the request is not signed'
  const [, keyId, day = '', region = '', signedHeaders = '', signature] = found
  if (keyId !== CREDENTIALS.accessKeyId) return `unknown access key ${keyId}`
  const header = (name: string) => String(request.headers[name] ?? '').trim()
  const payload = header('x-amz-content-sha256')
  if (/^[0-9a-f]{64}$/.test(payload) && payload !== hash(body)) return 'the body is not what was signed'
  const [path = '', query = ''] = request.url!.split('?')
  const canonicalQuery = query
    .split('&')
    .filter(part => part !== '')
    .map(part => (part.includes('=') ? part : `${part}=`))
    .sort()
    .join('&')
  const canonical = [
    request.method,
    path,
    canonicalQuery,
    ...signedHeaders.split(';').map(name => `${name}:${header(name).replace(/ +/g, ' ')}`),
    '',
    signedHeaders,
    payload,
  ].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', header('x-amz-date'), scope, hash(Buffer.from(canonical))].join('\n')
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    Buffer.from(`AWS4${CREDENTIALS.secretAccessKey}`),
  )
  const expected = createHmac('sha256', key).update(text).digest('hex')
  return expected === signature ? undefined : 'the signature does not match'
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
