/** Sections that hold lists of works, links and notes instead of prose. */
const DROPPED = new Set(
  (
    'references|reference|notes|note|notes and references|references and ' +
    'notes|footnotes|citations|sources|source|works cited|bibliography|selected bibliography|' +
    'further reading|see also|external links|external link|weblinks|external sources|notes and ' +
    'citations|citations and references|general references|references and sources|related pages|other websites|' +
    '参考文献|參考文獻|参考资料|參考資料|参考|參考|参考来源|參考來源|参考书目|參考書目|参考及注释|注释|註釋|注釋|註解|注解|脚注|腳註|脚註|注脚|附注|備註|备注|资料来源|資料來源|来源|來源|引用|引注|' +
    '参见|參見|参看|參看|另见|另見|相关条目|相關條目|相关词条|关联项目|外部链接|外部連結|外部鏈接|外部链结|相关链接|相關連結|延伸阅读|延伸閱讀|扩展阅读|擴展閱讀|进一步阅读|注释与参考文献|' +
    '註釋與參考文獻|参考文献与注释'
  ).split('|'),
);

export function isDroppedSection(title: string, extra: ReadonlySet<string>): boolean {
  const name = title
    .toLowerCase()
    .replace(/[:：.]+$/, '')
    .trim();
  return DROPPED.has(name) || extra.has(name);
}
