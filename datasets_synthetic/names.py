"""What are the invented people called, in Chinese characters and in Latin letters?

A surname and one or two given characters, each drawn by weight from a short public list; any likeness is chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from datasets_synthetic.columns import Column, Flags, Ints, choose, joined, pick

# Most frequent surnames first; the weight of the n-th falls as 1 / (n + 4).
_SURNAMES = """王 Wang 李 Li 张 Zhang 刘 Liu 陈 Chen 杨 Yang 赵 Zhao 黄 Huang 周 Zhou 吴 Wu 徐 Xu 孙 Sun 胡 Hu 朱 Zhu
高 Gao 林 Lin 何 He 郭 Guo 马 Ma 罗 Luo 梁 Liang 宋 Song 郑 Zheng 谢 Xie 韩 Han 唐 Tang 冯 Feng 于 Yu
董 Dong 萧 Xiao 程 Cheng 曹 Cao 袁 Yuan 邓 Deng 许 Xu 傅 Fu 沈 Shen 曾 Zeng 彭 Peng 吕 Lü 苏 Su 卢 Lu
蒋 Jiang 蔡 Cai 贾 Jia 丁 Ding 魏 Wei 薛 Xue 叶 Ye 阎 Yan 欧阳 Ouyang 司马 Sima 上官 Shangguan 诸葛 Zhuge"""
_MEN = """伟 wei 强 qiang 军 jun 勇 yong 磊 lei 涛 tao 超 chao 明 ming 刚 gang 平 ping 辉 hui 鹏 peng 杰 jie 建 jian 国 guo
志 zhi 文 wen 斌 bin 波 bo 浩 hao 宇 yu 博 bo 天 tian 俊 jun 海 hai 峰 feng 龙 long 德 de 福 fu 昌 chang"""
_WOMEN = """芳 fang 娜 na 敏 min 静 jing 丽 li 艳 yan 娟 juan 霞 xia 秀 xiu 英 ying 玉 yu 兰 lan 梅 mei 红 hong 桂 gui
雪 xue 婷 ting 慧 hui 莉 li 洁 jie 燕 yan 颖 ying 琳 lin 欣 xin 怡 yi 佳 jia 淑 shu 珍 zhen 凤 feng 云 yun"""


def _pairs(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    words = text.split()
    return tuple(words[::2]), tuple(words[1::2])


SURNAMES, SURNAMES_LATIN = _pairs(_SURNAMES)
_MEN_ZH, _MEN_LATIN = _pairs(_MEN)
_WOMEN_ZH, _WOMEN_LATIN = _pairs(_WOMEN)
# The empty word at the end is the missing second character.
GIVEN = (*_MEN_ZH, *_WOMEN_ZH, "")
GIVEN_LATIN = (*_MEN_LATIN, *_WOMEN_LATIN, "")
TWO_CHARACTERS = 0.7


@dataclass(frozen=True)
class Names:
    surname: Ints
    first: Ints
    second: Ints

    def zh(self) -> Column:
        return joined(pick(SURNAMES, self.surname), pick(GIVEN, self.first), pick(GIVEN, self.second))

    def latin(self) -> Column:
        given = pc.utf8_capitalize(joined(pick(GIVEN_LATIN, self.first), pick(GIVEN_LATIN, self.second)))
        return joined(pick(SURNAMES_LATIN, self.surname), " ", given)

    def of(self, rows: Ints) -> Names:
        return Names(self.surname[rows], self.first[rows], self.second[rows])


def draw(rng: np.random.Generator, male: Flags) -> Names:
    rows, men = len(male), len(_MEN_ZH)
    surname = choose(rng, 1 / (np.arange(len(SURNAMES)) + 4.0), rows)

    def given() -> Ints:
        return np.where(male, rng.integers(0, men, rows), men + rng.integers(0, len(_WOMEN_ZH), rows))

    first, second = given(), given()
    return Names(surname, first, np.where(rng.random(rows) < TWO_CHARACTERS, second, len(GIVEN) - 1))
