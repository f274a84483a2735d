import { hash53 } from './hash.ts'

/**
 * Three words for a peer, made from its key: easy to say across a room and the same on every device. They are a nickname:
 * 128 × 128 × 128 of them exist, so only the whole peer id proves who somebody is.
 */
const MOODS =
  'able,agile,airy,amber,apt,arch,avid,balmy,bold,brave,breezy,brief,bright,brisk,broad,calm,candid,chief,civil,clean,clear,clever,close,cool,cosy,crisp,curious,dapper,daring,dear,deep,deft,direct,dry,eager,early,easy,equal,exact,fair,famed,fast,fine,firm,first,fit,fleet,fluent,fond,frank,free,fresh,full,gentle,glad,glossy,golden,good,grand,great,handy,happy,hardy,hearty,honest,huge,humble,ideal,jolly,just,keen,kind,large,light,likely,lively,local,loud,loyal,lucid,lucky,main,major,mellow,merry,mild,mobile,modest,neat,nimble,noble,novel,open,patient,plain,polite,prime,proud,pure,quick,quiet,rapid,rare,ready,regal,rich,robust,round,rustic,serene,sharp,silent,simple,sleek,smart,smooth,snug,solid,sound,spry,stable,steady,still,stout,subtle,sunny,swift,tidy'.split(
    ',',
  )
const COLOURS =
  'almond,amethyst,apricot,aqua,ash,auburn,azure,barley,basil,beech,beige,birch,blue,blush,bone,brass,bronze,brown,butter,camel,canary,carmine,cedar,cherry,chestnut,cinder,citron,clay,clover,cobalt,cocoa,copper,coral,cotton,cream,crimson,cyan,denim,dove,dusk,ebony,emerald,fawn,fern,flax,flint,garnet,ginger,glass,grape,green,grey,hazel,heather,henna,honey,indigo,iris,iron,ivory,jade,jasper,jet,khaki,lake,lapis,lavender,lemon,lilac,lime,linen,madder,magenta,mahogany,maple,marble,maroon,mauve,mint,moss,mustard,navy,nickel,oak,ochre,olive,onyx,opal,orange,orchid,peach,pearl,pewter,pine,pink,plum,poppy,purple,quartz,raven,red,rose,ruby,russet,rust,saffron,sage,salmon,sand,sapphire,scarlet,sepia,sienna,silver,slate,snow,straw,tan,tawny,teal,thistle,topaz,umber,violet,walnut,wheat,white,yellow'.split(
    ',',
  )
const BIRDS =
  'albatross,auk,avocet,babbler,barbet,bittern,blackbird,bluebird,bobolink,booby,brant,bulbul,bunting,bustard,buzzard,canvasback,cardinal,cassowary,chat,chickadee,chough,cockatoo,condor,coot,cormorant,corncrake,crake,crane,creeper,crossbill,crow,cuckoo,curlew,dabchick,dipper,diver,dotterel,dunlin,dunnock,eagle,egret,eider,emu,falcon,fieldfare,finch,flamingo,flicker,fulmar,gadwall,gannet,godwit,goldcrest,goose,goshawk,grebe,grouse,guillemot,gull,harrier,hawk,heron,hobby,hoopoe,hornbill,hummingbird,ibis,jackdaw,jay,kea,kestrel,kingfisher,kite,kiwi,knot,lapwing,lark,linnet,loon,lory,macaw,magpie,mallard,martin,merganser,merlin,moorhen,myna,nightjar,nuthatch,oriole,osprey,ostrich,ouzel,owl,parakeet,parrot,partridge,pelican,penguin,petrel,pheasant,pigeon,pintail,pipit,plover,pochard,puffin,quail,rail,redpoll,redstart,robin,roller,rook,ruff,sanderling,shearwater,shrike,siskin,skua,snipe,sparrow,spoonbill,starling,stork,swallow,tern'.split(
    ',',
  )

const WORDS = 128

/**
 * @param peerId - The peer's id as text; only its characters count.
 * @returns Three words, such as `quiet copper heron`.
 */
export function peerName(peerId: string): string {
  const hash = hash53(peerId)
  const mood = MOODS[hash % WORDS]
  const colour = COLOURS[Math.floor(hash / WORDS) % WORDS]
  const bird = BIRDS[Math.floor(hash / WORDS ** 2) % WORDS]
  return `${mood} ${colour} ${bird}`
}

export const NAME_LISTS = [MOODS, COLOURS, BIRDS] as const

/** A 5 × 5 pattern, mirrored left to right, and a hue index: the peer's picture. */
export interface Identicon {
  readonly hue: number
  /** Row-major, 25 cells. */
  readonly cells: readonly boolean[]
}

const SIDE = 5
const HALF = 3
const HUES = 12

export function identicon(peerId: string): Identicon {
  const hash = hash53(`picture of ${peerId}`)
  const cells: boolean[] = []
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const column = x < HALF ? x : SIDE - 1 - x
      cells.push(Math.floor(hash / 2 ** (y * HALF + column)) % 2 === 1)
    }
  }
  return { hue: Math.floor(hash / 2 ** 20) % HUES, cells }
}
