import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { listen, readPort } from '../../src/server/port.ts'

describe('the port', () => {
  test.each([
    [undefined, 8080],
    ['', 8080],
    ['0', 0],
    ['3000', 3000],
    ['65535', 65_535],
  ])('of PORT=%s is %i', (text, port) => {
    expect(readPort(text)).toBe(port)
  })

  test.each(['-1', '65536', '1e3', '0x50', '80.5', 'http'])('cannot be %s', text => {
    expect(() => readPort(text)).toThrow(`PORT is no port number: ${text}`)
  })

  test('is named when another program has it', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await expect(listen(createServer(), port)).rejects.toThrow(`Port ${port} is taken by another program`)
    other.close()
  })

  test('becomes part of an address of this machine only', async () => {
    const server = createServer()
    const address = await listen(server, 0)
    expect(address).toBe(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.close()
  })
})
